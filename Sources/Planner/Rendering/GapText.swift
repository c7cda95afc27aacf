/// A comparison of a measured run with its plan, as text and as JSON.
public enum GapText {
  /// A few lines for people.
  public static func text(_ gap: GapSearch, style: TextStyle = TextStyle()) -> String {
    let scale = MemoryScale(largest: gap.predicted[.device] ?? .zero)
    let verdict: String =
      gap.agrees ? style.paint("AGREES", .good) : style.paint("DIFFERS", .bad)
    var lines = [
      verdict + "  " + style.paint(TextLayout.line(gap.name, 70), .strong),
      "  " + style.paint(row("", "planned", "measured", "planned is"), .faint),
    ]
    for quantity in GapSearch.Quantity.allCases {
      let measured = gap.measured[quantity]
      lines.append(
        "  "
          + row(
            quantity.rawValue, scale.text(gap.predicted[quantity] ?? .zero),
            measured.map(scale.text) ?? "-", gap.gap(quantity).map(signed) ?? ""))
    }
    lines.append("")
    if !gap.isNamed {
      lines.append(
        "  The measured figure is nearest to \"\(gap.nearest.rawValue)\"; --quantity says which it is."
      )
    }
    if !gap.causes.isEmpty {
      lines.append("  What the run may have had instead, each planned, the nearest first:")
      for cause in gap.causes {
        lines += TextLayout.wrap(cause.change, 74).map { "    " + $0 }
        lines.append(
          "      \(cause.predicted.map(scale.text).joined(separator: ", ")), \(signed(cause.gap))")
      }
    } else if gap.tried > 0 {
      lines.append("  None of \(gap.tried) likely differences brings the plan within 2 %.")
    } else {
      lines.append("  Nothing to explain.")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Exact numbers with stable keys.
  public static func json(_ gap: GapSearch) -> String {
    func bytes(_ amounts: [GapSearch.Quantity: Bytes]) -> JSONValue {
      .object(
        GapSearch.Quantity.allCases.compactMap { quantity in
          amounts[quantity].map { .init("\(quantity.rawValue)_bytes", .integer($0.count)) }
        })
    }
    let gaps = GapSearch.Quantity.allCases.compactMap { quantity in
      gap.gap(quantity).map { JSONValue.Member(quantity.rawValue, .number($0)) }
    }
    let causes = gap.causes.map { cause -> JSONValue in
      [
        "change": .string(cause.change),
        "planned_bytes": .array(cause.predicted.map { .integer($0.count) }),
        "gap_fraction": .number(cause.gap),
      ]
    }
    return JSONWriter.text([
      "schema": 1, "name": .string(gap.name), "agrees": .bool(gap.agrees),
      "planned": bytes(gap.predicted), "measured": bytes(gap.measured),
      "gap_fraction": .object(gaps), "nearest": .string(gap.nearest.rawValue),
      "tried": .integer(gap.tried), "causes": .array(causes),
    ]) + "\n"
  }

  private static func signed(_ fraction: Double) -> String {
    guard fraction < 10 else { return "over +1,000 %" }
    let text = TextLayout.percent(fraction)
    return fraction > 0 ? "+" + text : text
  }

  private static func row(_ name: String, _ a: String, _ b: String, _ c: String) -> String {
    let text =
      TextLayout.left(name, 11) + TextLayout.right(a, 12) + TextLayout.right(b, 12)
      + TextLayout.right(c, 15)
    return String(text.reversed().drop { $0 == " " }.reversed())
  }
}
