/// Claims beside plans, as a table in Markdown.
public enum ClaimText {
  /// One row for each claim, in the order given; each with the name of its file.
  public static func markdown(_ claims: [(file: String, check: ClaimCheck)]) -> String {
    let rows = claims.map { file, check -> [DocumentTable.Cell] in
      [
        .text(check.claim.text), .text(String(check.claim.source.prefix { $0 != "_" })),
        .text(findings(check)), .text(verdict(check)), .code(file),
      ]
    }
    let table = DocumentTable(
      headings: ["what is claimed", "article", "what plan finds", "verdict", "scenario"],
      rows: rows)
    return MarkdownBlocks.text(of: table)
  }

  /// "mixed precision: 148 GB (claimed 160)".
  private static func findings(_ check: ClaimCheck) -> String {
    let texts = check.findings.map { finding -> String in
      var text = "\(finding.figure.name): \(found(finding))"
      if let claimed = finding.figure.claimed {
        text += " (claimed \(self.text(claimed, finding)))"
      }
      if let agrees = finding.agrees, check.findings.count > 1, finding.figure.decides {
        text += agrees ? " ✓" : " ✗"
      }
      return text
    }
    return texts.isEmpty ? "nothing that could be planned" : texts.joined(separator: "; ")
  }

  private static func found(_ finding: ClaimCheck.Finding) -> String {
    if finding.figure.quantity == "fits" { return finding.found != 0 ? "fits" : "does not fit" }
    return number(finding.found, finding) + (finding.unit.isEmpty ? "" : " " + finding.unit)
  }

  private static func text(_ claimed: Claim.Claimed, _ finding: ClaimCheck.Finding) -> String {
    switch claimed {
    case .about(let value, _): number(value, finding)
    case .truth(let truth): truth ? "yes" : "no"
    case .range(let least?, let most?): "\(number(least, finding)) to \(number(most, finding))"
    case .range(let least?, nil): "at least \(number(least, finding))"
    case .range(nil, let most?): "at most \(number(most, finding))"
    case .range(nil, nil): "anything"
    }
  }

  /// Shares as percentages, everything else with few digits.
  private static func number(_ value: Double, _ finding: ClaimCheck.Finding) -> String {
    finding.figure.other != nil && finding.figure.comparison != .ratio
      ? Decimal.text(value * 100, digits: 0) + " %" : digits(value)
  }

  /// Few digits, and powers of ten where they are many: `160`, `1.36`, `8.28e23`.
  private static func digits(_ number: Double) -> String {
    let size = abs(number)
    if number == 0 { return "0" }
    if size >= 1e12 || size < 0.001 {
      var (mantissa, exponent) = (number, 0)
      while abs(mantissa) >= 10, mantissa.isFinite {
        (mantissa, exponent) = (mantissa / 10, exponent + 1)
      }
      while abs(mantissa) < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
      return Decimal.text(mantissa, digits: 2) + "e\(exponent)"
    }
    if size >= 1000 { return CostText.number(number) }
    let text = Decimal.text(number, digits: size >= 100 ? 0 : size >= 10 ? 1 : 2)
    guard text.contains(".") else { return text }
    var trimmed = text[...]
    while trimmed.last == "0" { trimmed.removeLast() }
    return String(trimmed.last == "." ? trimmed.dropLast() : trimmed)
  }

  private static func verdict(_ check: ClaimCheck) -> String {
    var text =
      switch check.verdict {
      case .open: check.claim.verdict ?? "open"
      case .right: check.claim.assuming.map { "right if \($0)" } ?? "right"
      case .wrong, .partly: check.verdict.rawValue
      }
    if let note = check.claim.note { text += ": " + note }
    return text
  }
}
