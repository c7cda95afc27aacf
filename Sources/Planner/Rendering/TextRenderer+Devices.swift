extension TextRenderer {
  /// One line for each kind of device.
  static func render(_ devices: DeviceTable, style: TextStyle) -> String {
    let unit = devices.currency
    let headings = [
      "device", "count", "nodes", "GiB", "step", "run", "rented", "bought", "kWh",
    ]
    var lines = [
      style.paint(TextLayout.line(devices.name, TextLayout.width), .strong), "",
      "  " + style.paint(row(headings), .faint),
    ]
    for one in devices.rows {
      let isLong = one.device.id.count >= columns[0]
      if isLong { lines.append("  " + one.device.id) }
      let id = isLong ? "" : one.device.id
      guard let count = one.count, let report = one.report, let run = one.run else {
        let cells = [id, "-"]
        lines.append(
          TextLayout.line("  " + row(cells) + "  " + (one.reason ?? ""), TextLayout.width))
        continue
      }
      let mark = one.addsSharding ? "*" : ""
      lines.append(
        "  "
          + row([
            id, "\(count)\(mark)", "\(run.nodes)",
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
      "", "  run, kWh  of \(length)",
      "  costs     in \(unit), of prices of a day: plan show DEVICE has them with their",
      "            dates, --prices replaces them",
      "  bought    the run's share of the devices, and electricity",
      "  count     each device keeps its micro-batches: more devices, larger batches",
      "  GiB       what is needed of each device",
    ]
    if devices.rows.contains(where: \.addsSharding) {
      lines.append("  *         takes \"fsdp\" over the devices, which the scenario does not have")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static let columns = [20, 6, 6, 7, 9, 10, 7, 7, 6]

  private static func row(_ cells: [String]) -> String {
    var text = ""
    for (index, cell) in cells.enumerated() {
      text +=
        index == 0
        ? TextLayout.left(cell, columns[0]) : TextLayout.right(cell, columns[index])
    }
    return text
  }
}
