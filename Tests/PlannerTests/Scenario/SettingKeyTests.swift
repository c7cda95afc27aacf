import Testing

@testable import Planner

@Suite("The keys that readers list") struct SettingKeyTests {
  /// An object that a scenario may have, and what reads it.
  struct Block: CustomTestStringConvertible {
    let name: String
    let keys: [SettingKey]
    let read: @Sendable (JSONValue) throws -> Void
    var testDescription: String { name }
  }

  static let strategies = Strategies.all.map { type in
    Block(name: type.name, keys: type.keys) { value in
      var settings = try Settings(value, path: type.name, keys: type.keys)
      _ = try type.init(&settings)
      try settings.finish()
    }
  }

  static let optimizers = Optimizers.all.map { type in
    Block(name: type.name, keys: type.keys) { value in
      var settings = try Settings(value, path: "optimizer", keys: type.keys)
      _ = try type.init(&settings)
      try settings.finish()
    }
  }

  /// The scenario itself, and each object in it that a key of the scenario opens.
  static let scenario =
    [block("", ScenarioReader.keys)]
    + ScenarioReader.keys.compactMap { key in
      if case .object(let keys) = key.values, key.name != "optimizer" {
        block(key.name, keys)
      } else {
        nil
      }
    }

  private static func block(_ name: String, _ keys: [SettingKey]) -> Block {
    Block(name: name.isEmpty ? "scenario" : name, keys: keys) { value in
      guard case .object(var members) = value else { return }
      if !name.isEmpty { members = [.init(name, value)] }
      let isMegatron = name == "megatron" || value["megatron"] != nil
      let rest: [JSONValue.Member] = [
        .init("model", isMegatron ? "llama-2-7b" : "mixtral-8x7b"),
        .init("workload", ["micro_batch_size": 1, "sequence_length": 64]),
        .init("framework", isMegatron ? "megatron" : "torch"),
      ]
      members += rest.filter { member in !members.contains { $0.key == member.key } }
      if isMegatron { members.removeAll { ["attention", "kernels", "loss"].contains($0.key) } }
      _ = try ScenarioReader { (_) throws(PlanError) in [:] }.read(.object(members))
    }
  }

  static let all = strategies + optimizers + scenario

  /// Objects in which `key` is read: with what it belongs to, and with what has to be there beside it.
  private func samples(of key: SettingKey, in keys: [SettingKey]) -> [JSONValue] {
    values(of: key).map { value in
      var members = [JSONValue.Member(key.name, value)]
      if let condition = key.condition {
        let other = keys.first { $0.name == condition.key }
        let value = condition.values.first ?? other.map { values(of: $0)[0] } ?? .null
        members.append(.init(condition.key, value))
      }
      var isComplete = false
      while !isComplete {
        isComplete = true
        for needed in keys where needed.fallback == .needed {
          guard !members.contains(where: { $0.key == needed.name }),
            holds(needed.condition, members)
          else { continue }
          members.append(.init(needed.name, values(of: needed)[0]))
          isComplete = false
        }
      }
      return .object(members)
    }
  }

  private func holds(_ condition: SettingKey.Condition?, _ members: [JSONValue.Member]) -> Bool {
    guard let condition else { return true }
    return members.contains {
      $0.key == condition.key && (condition.values.isEmpty || condition.values.contains($0.value))
    }
  }

  private func values(of key: SettingKey) -> [JSONValue] {
    switch key.values {
    case .integer(let range): [.integer(range.lowerBound), .integer(range.upperBound)]
    case .number(let range): [.number(range.lowerBound), .number(range.upperBound)]
    case .truth: [true, false]
    case .choice(let names): names.map { .string($0) }
    case .integers(let range): [.array([.integer(range.lowerBound)])]
    case .texts: [["q_proj"]]
    case .text: ["h100-sxm"]
    case .object(let keys): keys.flatMap { samples(of: $0, in: keys) }
    case .other(_, let example): [example]
    }
  }

  @Test("are all that the reader asks for, and are all read", arguments: all)
  func complete(block: Block) {
    for key in block.keys {
      for sample in samples(of: key, in: block.keys) {
        do { try block.read(sample) } catch {
          guard let error = error as? PlanError else {
            Issue.record("\(key.name): \(error)")
            continue
          }
          // What a value excludes may be refused; a key that is not listed, or listed and not read, may not.
          let isListed =
            error.kind != .defect && !error.message.contains("says nothing here")
            && !error.message.contains("unknown key")
          #expect(isListed, "\(key.name): \(sample): \(error)")
        }
      }
    }
  }

  @Test("say their meaning in one line, without a dot at its end", arguments: all)
  func meanings(block: Block) {
    for key in block.keys {
      #expect(
        !key.meaning.isEmpty && key.meaning.count <= 80 && key.meaning.last != ".", "\(key.name)")
      #expect(!key.meaning.contains("\n"))
    }
  }

  @Test("give the defaults that a run and a stream have without settings") func defaults() throws {
    var run = try Settings(["tokens": 5], path: "run", keys: RunSettings.keys)
    #expect(try RunSettings(&run) == RunSettings(tokens: 5))
    var offload = try Settings(
      ["method": "streams"], path: "", keys: OffloadedActivations.keys)
    #expect(try OffloadedActivations(&offload).streams == StreamedOffload())
  }

  @Test("make a reader that asks for another key a defect of plan") func undescribed() throws {
    var settings = try Settings([:], path: "here", keys: [])
    #expect(throws: PlanError.self) { try settings.integer("rank") }
    _ = settings.value("rank")
    do {
      try settings.finish()
      Issue.record("the key is not in the list")
    } catch {
      #expect(error.kind == .defect)
    }
  }

  @Test("name what a key belongs to where that is missing") func misplaced() throws {
    var settings = try Settings(
      ["policy": "full", "interval": 2], path: "strategies.checkpointing",
      keys: ActivationCheckpointing.keys)
    do {
      _ = try ActivationCheckpointing(&settings)
      try settings.finish()
      Issue.record("interval belongs to another policy")
    } catch {

      #expect(error.path == "strategies.checkpointing.interval")
      #expect(error.message == #""interval" says nothing here: it goes with "policy": "every""#)
      #expect(error.fix == #"Leave it out, or add "policy": "every"."#)
    }
  }
}
