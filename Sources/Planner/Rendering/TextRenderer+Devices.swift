extension TextRenderer {
  /// One line for each kind of device.
  static func render(_ devices: DeviceTable, style: TextStyle) -> String {
    let unit = devices.currency
    let headings = [
      "device", "count", "nodes", "GiB each", "step", "run", "rented", "bought", "kWh",
    ]
    var lines = [
      style.paint(TextLayout.line(devices.name, TextLayout.width), .strong), "",
      "  " + style.paint(row(headings), .faint),
    ]
    for one in devices.rows {
      guard let count = one.count, let report = one.report, let run = one.run else {
        let cells = [one.device.id, "-"]
        lines.append(
          TextLayout.line("  " + row(cells) + "  " + (one.reason ?? ""), TextLayout.width))
        continue
      }
      let mark = one.addsSharding ? "*" : ""
      lines.append(
        "  "
          + row([
            one.device.id, "\(count)\(mark)", "\(run.nodes)",
            Decimal.text(report.need.gibibytes, digits: 1),
            TextLayout.duration(report.time.expected), CostText.time(hours: run.time.hours),
            CostText.short(run.cost.rented), CostText.short(run.cost.bought),
            CostText.short(run.energy?.kilowattHours),
          ]))
    }
    let names = devices.unplanned.map(\.id).joined(separator: ", ")
    lines += TextLayout.wrap("not planned: \(names); see plan show devices", TextLayout.width - 2)
      .map { "  " + $0 }
    let length =
      devices.isRunGiven
      ? "the scenario's run" : "a billion tokens: the scenario has no \"run\""
    lines += [
      "", "  run, kWh  of \(length); costs in \(unit), of prices of a day:",
      "            plan show DEVICE has them with their dates, --prices replaces them",
      "  bought    the run's share of the devices, and electricity",
      "  count     each device keeps its micro-batches: more devices, larger batches",
    ]
    if devices.rows.contains(where: \.addsSharding) {
      lines.append("  *         takes \"fsdp\" over the devices, which the scenario does not have")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static let columns = [22, 6, 6, 9, 9, 10, 7, 7, 0]

  private static func row(_ cells: [String]) -> String {
    var text = ""
    for (index, cell) in cells.enumerated() {
      text +=
        index == 0
        ? TextLayout.left(TextLayout.line(cell, 21), columns[0])
        : TextLayout.right(cell, index + 1 < columns.count ? columns[index] : 6)
    }
    return text
  }
}
