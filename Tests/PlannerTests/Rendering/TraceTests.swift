import Testing

@testable import Planner

@Suite("A step over time") struct TraceTests {
  private func scenario(_ strategies: String = "{}", allocator: String = "{}") throws -> Scenario {
    try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file here", path: path, fix: "")
    }.read(
      try JSONReader.read(
        Array(
          """
          { "schema": 1, "name": "small",
            "model": { "model_type": "llama", "hidden_size": 512, "intermediate_size": 1376,
              "num_hidden_layers": 3, "num_attention_heads": 8, "num_key_value_heads": 8,
              "vocab_size": 4000 },
            "workload": { "micro_batch_size": 2, "sequence_length": 256 },
            "strategies": \(strategies), "allocator": \(allocator),
            "hardware": { "device": "rtx-4090" } }
          """.utf8)))
  }

  private func array(_ value: JSONValue?) -> [JSONValue] {
    if case .array(let elements)? = value { elements } else { [] }
  }

  private func text(_ value: JSONValue?) -> String {
    if case .string(let text)? = value { text } else { "" }
  }

  private func number(_ value: JSONValue?) -> Double {
    switch value {
    case .integer(let number)?: Double(number)
    case .number(let number)?: number
    default: .nan
    }
  }

  @Test("reaches the peak that the fold finds") func peak() throws {
    for seed in 0..<120 as Range<UInt64> {
      let scenario = try Scenario.random(seed)
      // Its step counts gradients that it has replaced, which the allocator's script cannot tell apart.
      if scenario.optimizer is GaLoreAdamW8bit || scenario.optimizer is GaLoreAdamW { continue }
      let timeline: Timeline
      do { timeline = try Planner.timeline(of: scenario) } catch {
        #expect(error.kind == .unsupported, "seed \(seed): \(error)")
        continue
      }
      let report = try Planner.plan(scenario, .tensors)
      #expect(timeline.highest == report.peak.live, "seed \(seed)")
    }
  }

  @Test("ends where it began, and runs forward in time") func balance() throws {
    let timeline = try Planner.timeline(of: try scenario())
    var sums = timeline.start
    var last = 0.0
    for change in timeline.changes {
      sums[Int(change.role.rawValue)] += change.bytes
      #expect(change.time > last)
      last = change.time
    }
    #expect(sums == timeline.start)
    #expect(timeline.duration >= last)
  }

  @Test("takes as long as the report says, and the optimizer") func duration() throws {
    let scenario = try scenario(#"{ "checkpointing": { "policy": "full" } }"#)
    let timeline = try Planner.timeline(of: scenario)
    let report = try Planner.plan(scenario, .tensors)
    let optimizer = try #require(timeline.slices.last { $0.kind == .phase })
    let rest = optimizer.start
    // Every change adds 0.1 µs for its order.
    #expect(rest >= report.seconds.value)
    #expect(rest <= report.seconds.value + 2e-7 * Double(timeline.changes.count))
  }

  @Test("is JSON that Perfetto reads: nested slices, and a counter for every change") func chrome()
    throws
  {
    let scenario = try scenario(#"{ "checkpointing": { "policy": "full" } }"#)
    let timeline = try Planner.timeline(of: scenario)
    let bytes = try TraceFormat.chrome.render(timeline, of: scenario)
    #expect(try bytes == TraceFormat.chrome.render(Planner.timeline(of: scenario), of: scenario))
    let trace = try JSONReader.read(bytes)
    let events = array(trace["traceEvents"])
    var (open, names, counters, highest): ([Double], [String], Int, Double) = ([], [], 0, 0)
    for event in events {
      switch text(event["ph"]) {
      case "X":
        let (start, length) = (number(event["ts"]), number(event["dur"]))
        while let end = open.last, start >= end - 1e-6 { open.removeLast() }
        if let end = open.last { #expect(start + length <= end + 1e-6, "\(event)") }
        open.append(start + length)
        names.append(text(event["name"]))
        #expect(["phase", "layer", "operation"].contains(text(event["cat"])))
      case "C":
        counters += 1
        if text(event["name"]) == "live" {
          highest = max(highest, number(event["args"]?["bytes"]))
        }
      default: #expect(text(event["ph"]) == "M")
      }
    }
    #expect(counters == 2 * (timeline.changes.count + 1))
    #expect(highest == Double(try Planner.plan(scenario, .tensors).peak.live.count))
    for name in ["forward", "backward", "optimizer"] {
      #expect(names.count { $0 == name } == 1)
    }
    for layer in 0..<3 { #expect(names.count { $0 == "layer \(layer)" } == 2) }
    #expect(names.contains("loss, _log_softmax") && names.contains("loss, _log_softmax, backward"))
  }

  @Test(
    "is a snapshot whose segments are the reserved memory, and whose trace leads to them",
    arguments: ["{}", #"{ "expandable_segments": true }"#])
  func snapshot(allocator: String) throws {
    let scenario = try scenario(allocator: allocator)
    let timeline = try Planner.timeline(of: scenario)
    let snapshot = try PickleReader.read(try TraceFormat.snapshot.render(timeline, of: scenario))
    let report = try Planner.plan(scenario)
    var live: [Int: Int] = [:]
    var reserved = 0
    for segment in array(snapshot["segments"]) {
      reserved += segment.integer("total_size") ?? 0
      var address = try #require(segment.integer("address"))
      for block in array(segment["blocks"]) {
        #expect(block.integer("address") == address)
        address += block.integer("size") ?? 0
        if text(block["state"]) == "active_allocated" {
          live[block.integer("address") ?? 0] = block.integer("requested_size")
        }
      }
      #expect(address == (segment.integer("address") ?? 0) + (segment.integer("total_size") ?? 0))
    }
    #expect(reserved == report.peak.reserved.count)
    // Backward through the trace: every release puts its block back, every allocation takes it away.
    var (now, highest) = (live.values.reduce(0, +), 0)
    for entry in array(array(snapshot["device_traces"])[0]).reversed() {
      let (address, size) = (entry.integer("addr") ?? 0, entry.integer("size") ?? 0)
      highest = max(highest, now)
      switch text(entry["action"]) {
      case "free_completed":
        #expect(live[address] == nil)
        live[address] = size
        now += size
      case "alloc":
        #expect(live.removeValue(forKey: address) == size)
        now -= size
        #expect(!array(entry["frames"]).isEmpty)
      default: break
      }
    }
    #expect(max(highest, now) == report.peak.live.count)
  }

  @Test("refuses a snapshot of a processor's memory, and steps that are too long") func refusals()
    throws
  {
    var scenario = try scenario()
    let timeline = try Planner.timeline(of: scenario)
    scenario.device = try #require(DeviceCatalog.all.first)
    scenario.device.kind = .processor
    #expect(throws: PlanError.self) { try TraceFormat.snapshot.render(timeline, of: scenario) }
    var deep = try Fixtures.long()
    let error = #expect(throws: PlanError.self) { try Planner.timeline(of: deep) }
    #expect(error?.fix.hasPrefix("Add --layers ") == true)
    deep.name = "fewer"
    #expect(try Planner.timeline(of: deep, layers: 8).notes.contains("8 of 50000 layers"))
  }
}

extension Fixtures {
  /// A model with far more layers than any has.
  fileprivate static func long() throws -> Scenario {
    try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file here", path: path, fix: "")
    }.read(
      try JSONReader.read(
        Array(
          """
          { "schema": 1,
            "model": { "model_type": "llama", "hidden_size": 64, "intermediate_size": 64,
              "num_hidden_layers": 50000, "num_attention_heads": 1, "num_key_value_heads": 1,
              "vocab_size": 100 },
            "workload": { "micro_batch_size": 1, "sequence_length": 16 } }
          """.utf8)))
  }
}
