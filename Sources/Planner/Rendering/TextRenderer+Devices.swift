extension TextRenderer {
  /// One line for each kind of device.
  static func render(_ devices: DeviceTable, style: TextStyle) -> String {
    var lines = [
      style.paint(TextLayout.line(devices.name, TextLayout.width), .strong),
      "",
      "  "
        + style.paint(row(["device", "count", "needs each", "of", "step at least", ""]), .faint),
    ]
    for one in devices.rows {
      let scale = MemoryScale(largest: one.device.memory)
      guard let count = one.count, let report = one.report, let seconds = one.seconds else {
        let cells = [one.device.id, "-", "", scale.text(one.device.memory)]
        lines.append(
          TextLayout.line("  " + row(cells) + "  " + (one.reason ?? ""), TextLayout.width))
        continue
      }
      let time = (try? Seconds(seconds)).map(TextLayout.duration) ?? ""
      let cells = [
        one.device.id, "\(count)", scale.text(report.need), scale.text(one.device.memory), time,
        one.addsSharding ? " fsdp" : "",
      ]
      lines.append("  " + row(cells))
    }
    lines += ["", "  step      arithmetic at the data sheet's rates, and what communication adds"]
    if devices.rows.contains(where: \.addsSharding) {
      lines.append("  fsdp      takes \"fsdp\" over the devices, which the scenario does not have")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static let columns = [24, 7, 12, 12, 14]

  private static func row(_ cells: [String]) -> String {
    var text = ""
    for (index, cell) in cells.enumerated() {
      switch index {
      case 0: text += TextLayout.left(cell, columns[0])
      case columns.indices: text += TextLayout.right(cell, columns[index])
      default: text += cell
      }
    }
    return text
  }
}
