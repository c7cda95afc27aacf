extension PurchaseDocument {
  /// The devices that a decision is between: the cheapest few, and the one that was asked for.
  var alternatives: [DocumentBlock] {
    guard let devices = document.devices else { return [] }
    let possible = devices.rows.filter { $0.count != nil }
    let most = 8
    let shown = possible.enumerated().filter { $0.offset < most || isAsked($0.element) }
      .map(\.element)
    let length =
      devices.isRunGiven
      ? "the run of the scenario"
      : "a billion tokens, since the scenario does not say how long the run is"
    let rest =
      possible.count > shown.count
      ? " \(possible.count - shown.count) others are at the end of the document." : ""
    return [
      .heading("Alternatives considered"),
      .paragraph(
        "The least number of each kind of device that the scenario's techniques work on, for \(length). "
          + "Each device keeps its micro-batches, so more devices mean larger batches. Costs in "
          + "\(devices.currency), the cheapest first." + rest),
      table(shown),
      .paragraph(
        "rented: the run on rented devices. bought: its share of the hardware and its electricity. "
          + "hardware: all devices at once. A dash: nobody says a price."),
    ]
  }

  /// Every device, and those that cannot do it by reason.
  var everyDevice: [DocumentBlock] {
    guard let devices = document.devices else { return [] }
    return [
      .heading("Every device"), table(devices.rows.filter { $0.count != nil }),
      .list(infeasible(devices)),
    ]
  }

  private func isAsked(_ row: DeviceTable.Row) -> Bool { row.device.name == report.device }

  private func table(_ devices: [DeviceTable.Row]) -> DocumentBlock {
    var rows: [[DocumentTable.Cell]] = []
    for row in devices {
      guard let report = row.report, let run = row.run, let count = row.count else { continue }
      let name = row.device.shortName + (row.addsSharding ? " (with fsdp)" : "")
      rows.append([
        isAsked(row) ? .strong(name) : .text(name), .text(TextLayout.grouped(count)),
        .text(TextLayout.grouped(run.nodes)), .text(Decimal.text(report.need.gibibytes, digits: 1)),
        .text(TextLayout.duration(report.time.expected)),
        .text(CostText.time(hours: run.time.hours)), .text(amount(run.cost.rented)),
        .text(amount(run.cost.bought)), .text(amount(run.cost.hardware)),
        .text(amount(run.energy?.kilowattHours)),
      ])
    }
    return .table(
      DocumentTable(
        headings: [
          "device", "number", "nodes", "GiB each", "step", "run", "rented", "bought", "hardware",
          "kWh",
        ], rows: rows, numbers: [1, 2, 3, 4, 5, 6, 7, 8, 9]))
  }

  /// "no number of devices is enough: Tesla T4, …", one line for each reason.
  private func infeasible(_ devices: DeviceTable) -> [String] {
    var reasons: [(reason: String, names: [String])] = []
    let all =
      devices.rows.filter { $0.count == nil }.map { ($0.reason ?? "", $0.device.shortName) }
      + devices.unplanned.map { ("not planned: " + $0.reason, $0.name) }
    for (reason, name) in all {
      if let index = reasons.firstIndex(where: { $0.reason == reason }) {
        reasons[index].names.append(name)
      } else {
        reasons.append((reason, [name]))
      }
    }
    return reasons.map { "\($0.reason): \($0.names.joined(separator: ", "))" }
  }

  private func amount(_ amount: Double?) -> String { amount.map(CostText.number) ?? "-" }

  /// What the run takes: work, time, energy, money, storage.
  var costs: [DocumentBlock] {
    guard let run = report.run else { return [] }
    let text = RunText(run)
    let currency = run.cost.currency
    func cell(_ amount: Double?) -> DocumentTable.Cell {
      .text(CostText.money(amount, currency))
    }
    var rows: [[DocumentTable.Cell]] = [
      ["rented", cell(run.cost.rented), cell(run.cost.rentedPerYear), .text(text.rented)],
      ["bought: share of the hardware", cell(run.cost.writtenOff), "", .text(text.bought)],
      ["bought: electricity", cell(run.cost.energy), "", .text(text.energy)],
      ["bought, together", cell(run.cost.bought), cell(run.cost.boughtPerYear), ""],
      ["all hardware at once", cell(run.cost.hardware), "", .text(text.breakEvenSentence)],
    ]
    var headings = ["", "one run", "a year", "how"]
    if run.settings.runsPerYear == nil {
      headings.remove(at: 2)
      for index in rows.indices { rows[index].remove(at: 2) }
    }
    return [
      .heading("What the run takes"),
      .facts([
        ("Length", text.length), ("Work", text.work), ("Time", text.time),
        ("Storage", text.storage), ("Network", text.network),
      ]),
      .table(
        DocumentTable(
          headings: headings, rows: rows,
          numbers: run.settings.runsPerYear == nil ? [1] : [1, 2])),
    ]
  }
}

extension RunText {
  /// When buying has paid, as a sentence.
  fileprivate var breakEvenSentence: String {
    breakEven.isEmpty
      ? "" : "pays after " + breakEven.replacing("renting is always", with: "never: renting is")
  }
}

extension Device {
  /// The name without what stands in brackets.
  var shortName: String {
    name.firstRange(of: " (").map { String(name[..<$0.lowerBound]) } ?? name
  }
}
