/// The document for a decision about hardware: question, recommendation, alternatives, and what stands behind them.
struct PurchaseDocument {
  let document: ReportDocument
  let content: ReportContent
  var report: Report { document.report }

  init(_ document: ReportDocument) {
    self.document = document
    content = ReportContent(document.report)
  }

  /// All sections in their order.
  var blocks: [DocumentBlock] {
    var blocks = content.verdict + question + recommendation + alternatives + costs
    if let chart = document.timeline.map({ MemoryChart($0, report) }), !chart.html.isEmpty {
      blocks += [
        .heading("Memory over the step"), .figure(chart.html, instead: chart.caption),
      ]
    }
    blocks += content.breakdown + content.phases
    if let remedies = document.remedies { blocks += content.changes(remedies) }
    blocks += checkpointing + sensitivity + content.facts
    if let ladder = document.ladder { blocks += content.ladder(ladder) }
    return blocks + notModelled + content.assumptions + everyDevice + reproduction
  }

  /// What was asked.
  private var question: [DocumentBlock] {
    guard document.devices != nil else { return [] }
    let count = report.devices.used
    var text =
      "Can \(report.model) (\(CostText.many(report.parameters)) parameters"
      + (report.trainableParameters < report.parameters
        ? ", \(CostText.many(report.trainableParameters)) of them trained" : "")
      + ") be trained on \(count == 1 ? "one" : "\(count)") \(deviceName), "
      + "and what else could it be trained on?"
    if let run = report.run {
      text +=
        " The run goes over \(TextLayout.grouped(run.length.tokens)) tokens in "
        + "\(TextLayout.grouped(run.length.steps)) optimizer steps."
    }
    return [.heading("The question"), .paragraph(text)]
  }

  /// The device's name without what stands in brackets.
  private var deviceName: String {
    report.device.firstRange(of: " (").map { String(report.device[..<$0.lowerBound]) }
      ?? report.device
  }

  /// What follows from the plans; every sentence repeats a figure of the tables below.
  private var recommendation: [DocumentBlock] {
    guard let devices = document.devices else { return [] }
    var lines: [String] = []
    if report.fits {
      lines.append(
        "It fits: \(content.scale.text(report.need)) of \(content.scale.text(report.capacity)) "
          + "on each device at the highest point of the step.")
    } else if let remedy = document.remedies?.first {
      lines.append("It does not fit as it is. It would with \(remedy.change).")
    } else {
      lines.append("It does not fit as it is, and no change that was tried makes it fit.")
    }
    let possible = devices.rows.filter { $0.count != nil }
    let priced = possible.filter { $0.cost != nil }
    if let cheapest = priced.first {
      lines.append("The cheapest run among devices with a price: " + sentence(cheapest, devices))
      if cheapest.run?.nodes ?? 1 > 1, let near = priced.first(where: { $0.run?.nodes == 1 }) {
        lines.append("The cheapest within one node: " + sentence(near, devices))
      }
    }
    let fastest = possible.filter { $0.run?.nodes == 1 }.min {
      ($0.run?.time.hours ?? 0) < ($1.run?.time.hours ?? 0)
    }
    if let fastest { lines.append("The fastest within one node: " + sentence(fastest, devices)) }
    let alone = possible.filter { $0.count == 1 && $0.device.kind == .accelerator }.min {
      $0.device.memory < $1.device.memory
    }
    lines.append(
      alone.map { "The smallest single device that does it: \($0.device.shortName)." }
        ?? "No single device of the catalog does it.")
    if let advice = rentOrBuy { lines.append(advice) }
    return [.heading("Recommendation"), .list(lines)]
  }

  /// One row in a sentence: number, device, cost, time, and where the cost is from.
  private func sentence(_ row: DeviceTable.Row, _ devices: DeviceTable) -> String {
    "\(row.count ?? 0) × \(row.device.shortName), \(CostText.time(hours: row.run?.time.hours ?? 0)), "
      + "\(CostText.money(row.cost, devices.currency))\(hint(row))."
  }

  private func hint(_ row: DeviceTable.Row) -> String {
    guard let cost = row.run?.cost, row.cost != nil else { return "" }
    let isRented = (cost.rented ?? .infinity) <= (cost.bought ?? .infinity)
    return isRented
      ? ", rented (\(cost.rental?.provenance ?? ""))"
      : ", bought and written off over \(CostText.count(row.run?.settings.years ?? 0)) years"
  }

  /// Whether the run, as often as it is made, pays for its hardware.
  private var rentOrBuy: String? {
    guard let run = report.run, let even = run.cost.breakEvenHours else { return nil }
    let times = (run.settings.runsPerYear ?? 0) * run.settings.years
    let count = max(1, times)
    let work = count * run.time.hours
    let often =
      run.settings.runsPerYear.map {
        "\(CostText.count($0)) runs a year for \(CostText.count(run.settings.years)) years are"
      } ?? "one run is"
    return "Rent or buy: \(often) \(CostText.number(work)) h of work, and buying pays from "
      + "\(CostText.number(even)) h on. By these prices \(work < even ? "rent" : "buy")"
      + (work < even ? ", unless the devices have other work." : ".")
  }

  // MARK: What stands behind it

  /// What a plan leaves out.
  private var notModelled: [DocumentBlock] {
    guard document.devices != nil else { return [] }
    return [
      .heading("What is not modelled"),
      .list([
        "Other processes on the devices, evaluation and generation between steps, and batches "
          + "whose sequences are longer than the scenario says.",
        "Compiled steps (torch.compile), packed sequences with a mask, padding.",
        "Reading data: a step is taken to find its batch ready. Time to write checkpoints.",
        "Failures, restarts, waiting for a rented device, and runs that are made again because "
          + "something was wrong.",
        "Servers around bought devices unless \"node_price\" says so, racks, staff, taxes, the "
          + "price of storage and of data that leaves a cloud.",
        "Prices are those of the day they were seen; a newer list goes in with --prices.",
      ]),
    ]
  }

  /// How to get the document again.
  private var reproduction: [DocumentBlock] {
    let command = "plan report scenario.json -o report.html"
    return [
      .heading("The scenario"),
      .paragraph(
        "Saved as scenario.json, \"\(command)\" gives this page again; -o report.md gives it as "
          + "Markdown."),
      .code(JSONWriter.text(document.scenario), language: "json"),
    ]
  }
}
