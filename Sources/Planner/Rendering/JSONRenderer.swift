/// Reports as JSON: exact integers, keys in a fixed order, `"schema": 1`.
enum JSONRenderer: Renderer {
  static let name = "json"
  static let summary = "Exact numbers with stable keys, for programs."

  static func render(_ answer: Answer, style: TextStyle) -> String {
    JSONWriter.text(value(of: answer)) + "\n"
  }

  static func render(_ answers: [Answer], style: TextStyle) -> String {
    JSONWriter.text(.array(answers.map(value(of:)))) + "\n"
  }

  static func render(_ ladder: Ladder, style: TextStyle) -> String {
    let rungs = ladder.rungs.map { rung -> JSONValue in
      ["label": .string(rung.label), "report": value(of: rung.report)]
    }
    let name = ladder.rungs.last?.report.name ?? ""
    return JSONWriter.text(["schema": 1, "name": .string(name), "rungs": .array(rungs)]) + "\n"
  }

  /// The answer as it stands in a list: a report, or the scenario's name with the error.
  static func value(of answer: Answer) -> JSONValue {
    switch answer {
    case .planned(let report, let remedies): value(of: report, remedies: remedies)
    case .refused(let name, let error): ["name": .string(name), "error": value(of: error)]
    }
  }

  private static func value(of error: PlanError) -> JSONValue {
    [
      "message": .string(error.message), "path": .string(error.path), "fix": .string(error.fix),
    ]
  }

  /// The report's contract keys, then the others.
  private static func value(of report: Report, remedies: [Remedy]? = nil) -> JSONValue {
    let contract: [(String, JSONValue)] = [
      ("schema", 1),
      ("name", .string(report.name)),
      ("fits", .bool(report.fits)),
      ("peak", value(of: report.peak)),
      ("capacity_bytes", .integer(report.capacity.count)),
      ("phases", .object(report.phases.map { .init($0.phase.key, value(of: $0)) })),
      ("breakdown_bytes", value(of: report.peak.breakdown)),
      ("recompute", value(of: report.recompute)),
      ("devices", value(of: report.devices)),
      ("assumptions", .array(report.assumptions.map(value(of:)))),
    ]
    var members = contract.map { JSONValue.Member($0.0, $0.1) }
    members += [
      .init("model", .string(report.model)),
      .init("device", .string(report.device)),
      .init("parameters", .integer(report.parameters)),
      .init("trainable_parameters", .integer(report.trainableParameters)),
    ]
    if let active = report.activeParameters {
      members.append(.init("active_parameters", .integer(active)))
    }
    if let loading = report.loading {
      let value: JSONValue = [
        "live_bytes": .integer(loading.live.count), "device_bytes": .integer(loading.device.count),
      ]
      members.append(.init("loading", value))
    }
    if let allocator = report.allocator {
      members.append(.init("allocator", value(of: allocator)))
    }
    members += [
      .init("flops", number(report.flops.count)),
      .init("seconds", .number(report.seconds.value)),
      .init("time", value(of: report.time)),
    ]
    if let communication = report.communication {
      members.append(.init("communication", value(of: communication)))
    }
    if let pipeline = report.pipeline {
      members.append(.init("pipeline", value(of: pipeline)))
    }
    if let host = report.host { members += hostMembers(host) }
    if let run = report.run { members.append(.init("run", value(of: run))) }
    if let remedies { members.append(.init("remedies", .array(remedies.map(value(of:))))) }
    return .object(members)
  }

  static func value(of peak: Report.Peak) -> JSONValue {
    [
      "live_bytes": .integer(peak.live.count),
      "allocated_bytes": .integer(peak.allocated.count),
      "reserved_bytes": .integer(peak.reserved.count),
      "device_bytes": .integer(peak.device.count),
      "phase": .string(peak.phase.key),
      "operation": .string(peak.operation),
    ]
  }

  private static func value(of phase: Report.PhasePeak) -> JSONValue {
    [
      "live_bytes": .integer(phase.live.count),
      "allocated_bytes": .integer(phase.allocated.count),
      "reserved_bytes": .integer(phase.reserved.count),
      "operation": .string(phase.operation),
      "breakdown_bytes": value(of: phase.breakdown),
    ]
  }

  private static func value(of allocator: Report.Allocator) -> JSONValue {
    [
      "reserved_low_bytes": .integer(allocator.reservedLow.count),
      "reserved_high_bytes": .integer(allocator.reservedHigh.count),
      "address_orders": .integer(allocator.orders),
      "inactive_split_bytes": .integer(allocator.inactiveSplit.count),
      "largest_free_bytes": .integer(allocator.largestFreeBlock.count),
      "ideal_bytes": .integer(allocator.ideal.count),
      "retries": .integer(allocator.retries),
    ]
  }

  private static func value(of breakdown: Breakdown) -> JSONValue {
    .object(Role.allCases.map { .init($0.key, .integer(breakdown[$0].count)) })
  }

  static func value(of recompute: Report.Recompute) -> JSONValue {
    [
      "flops_fraction": .number(recompute.flopsFraction),
      "time_fraction": .number(recompute.timeFraction),
    ]
  }

  private static func value(of devices: Report.DeviceCount) -> JSONValue {
    ["used": .integer(devices.used), "minimum": devices.minimum.map { .integer($0) } ?? .null]
  }

  private static func value(of communication: Communication) -> JSONValue {
    [
      "sent_bytes": .object(
        communication.sent.map { .init($0.collective, .number($0.bytes.rounded())) }),
      "seconds": .number(communication.seconds.value),
      "exposed_seconds": .number(communication.exposedSeconds.value),
    ]
  }

  static func value(of assumption: Assumption) -> JSONValue {
    [
      "name": .string(assumption.name), "text": .string(assumption.text),
      "source": .string(assumption.source),
    ]
  }

  static func value(of remedy: Remedy) -> JSONValue {
    let members: [(String, JSONValue)] = [
      ("change", .string(remedy.change)), ("cost", .string(remedy.cost)),
      ("peak", value(of: remedy.report.peak)), ("recompute", value(of: remedy.report.recompute)),
      ("devices", value(of: remedy.report.devices)),
    ]
    let host = remedy.report.host.map {
      [JSONValue.Member("host_bytes", .integer($0.needed.count))]
    }
    return .object(members.map { .init($0.0, $0.1) } + (host ?? []))
  }

  /// Exact up to 64 bits, the nearest floating-point number beyond.
  static func number(_ count: Int128) -> JSONValue {
    Int(exactly: count).map { .integer($0) } ?? .number(Double(count))
  }
}
