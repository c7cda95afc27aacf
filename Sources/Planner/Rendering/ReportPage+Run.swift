extension ReportPage {
  /// What the whole run takes, a few lines.
  var runFacts: [String] {
    guard let run = report.run else { return [] }
    var lines: [String] = []
    for part in RunText(run).parts {
      let text = TextLayout.wrap(part.short, TextLayout.width - 13)
      lines += text.enumerated().map { fact($0 == 0 ? part.name : "", $1) }
    }
    return lines
  }
}

/// The parts of a run in words.
struct RunText {
  private let run: Run

  init(_ run: Run) { self.run = run }

  /// A name, and what there is to say in a line or two.
  var parts: [(name: String, short: String)] {
    [
      ("run", length), ("work", work), ("takes", time), ("energy", energy), ("rented", rented),
      ("bought", bought), ("break-even", breakEven), ("storage", storage), ("network", network),
    ].filter { !$0.1.isEmpty }
  }

  var length: String {
    "\(TextLayout.grouped(run.length.tokens)) tokens: \(TextLayout.grouped(run.length.steps)) steps of "
      + TextLayout.grouped(run.length.tokensPerStep)
  }

  var work: String {
    let flops = TextLayout.metric(Double(run.work.flops.count), "FLOP")
    let rule = TextLayout.metric(Double(run.work.sixND.count), "FLOP")
    return "\(flops); 6ND is \(rule), and without recomputation the count is "
      + "\(Decimal.text(run.work.overRule, digits: 2)) of it"
  }

  var time: String {
    let time = run.time
    var text = CostText.time(hours: time.hours)
    if time.isMeasured {
      text += ", by the measured step"
    } else {
      text +=
        " (\(CostText.time(hours: time.lowHours)) to \(CostText.time(hours: time.highHours)))"
    }
    guard time.devices > 1 else { return text + " on one device" }
    return text + " on \(TextLayout.grouped(time.devices)) devices in \(nodes), "
      + "\(CostText.number(time.deviceHours)) device hours"
  }

  var nodes: String { run.nodes == 1 ? "one node" : "\(TextLayout.grouped(run.nodes)) nodes" }

  var energy: String {
    guard let energy = run.energy else { return "nobody says what the device draws" }
    return
      "\(CostText.number(energy.kilowattHours)) kWh at \(Decimal.text(energy.kilowatts, digits: 2)) kW: "
      + CostText.money(energy.cost, run.cost.currency)
  }

  var rented: String {
    guard let rental = run.cost.rental else { return "no price of an hour in \(run.cost.currency)" }
    return "\(CostText.money(run.cost.rented, run.cost.currency)) at "
      + "\(Decimal.text(rental.amount, digits: 2)) an hour (\(rental.provenance))"
  }

  var bought: String {
    let cost = run.cost
    guard let price = cost.price else { return "no price in \(cost.currency)" }
    return
      "\(CostText.money(cost.bought, cost.currency)), \(CostText.number(cost.writtenOff ?? 0)) of it "
      + "written off \(CostText.money(cost.hardware, cost.currency)) of hardware "
      + "(\(price.provenance))"
  }

  var breakEven: String {
    guard run.cost.hardware != nil, run.cost.rental != nil, run.energy != nil else { return "" }
    guard let hours = run.cost.breakEvenHours else { return "renting is always cheaper" }
    return
      "\(CostText.number(hours)) h of work, \(CostText.number(hours / max(run.time.hours, 1e-9))) such runs"
  }

  var storage: String {
    let storage = run.storage
    let one = (try? storage.checkpoint.total) ?? .zero
    let kept = storage.kept == 1 ? "1 checkpoint" : "\(storage.kept) checkpoints"
    return
      "\(CostText.storage(storage.total)): the model \(CostText.storage(storage.checkpoint.model)), "
      + "\(kept) of \(CostText.storage(one)), data \(CostText.storage(storage.dataset)), "
      + "logs \(CostText.storage(storage.logs))"
  }

  var network: String {
    let storage = run.storage
    let between =
      storage.exchanged > 0
      ? ", \(TextLayout.metric(storage.exchanged, "B")) between devices" : ""
    return "reads \(CostText.storage(storage.read)), writes \(CostText.storage(storage.sent))"
      + between
  }
}
