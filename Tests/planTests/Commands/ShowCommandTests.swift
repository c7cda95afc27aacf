import Planner
import Testing

@testable import plan

@Suite("plan show") struct ShowCommandTests {
  @Test(
    "lists what there is, as a table and as JSON",
    arguments: ["models", "devices", "strategies", "optimizers", "scenario"])
  func lists(name: String) throws {
    let table = FakeWorld.run("show", name)
    let json = try JSONReader.read(FakeWorld.run("show", name, "--format", "json").output)
    guard case .array(let elements) = json else {
      Issue.record("the JSON of \(name) is a list")
      return
    }
    let lines = table.output.split(separator: "\n")
    let entries = lines.filter { $0.first != " " }
    #expect(table.exitCode == .answered && entries.count == elements.count + 1)
    #expect(lines.allSatisfy { $0.count <= 80 && $0.last != " " && !$0.contains("…") })
  }

  @Test("prints each model's config so that it can be edited and given back")
  func models() throws {
    for model in ModelCatalog.all {
      let config = try JSONReader.read(FakeWorld.run("show", model.id).output)
      #expect(config["_parameters"] == .integer(model.parameters))
      #expect(config["model_type"] == model.config["model_type"])
      #expect(FakeWorld.run("show", model.hub) == FakeWorld.run("show", model.id))
    }
  }

  @Test("prints each device with its figures, as lines within 80 columns and as JSON")
  func devices() throws {
    for device in DeviceCatalog.all {
      let lines = FakeWorld.run("show", device.id).output.split(separator: "\n")
      #expect(lines.allSatisfy { $0.count <= 80 })
      let json = try JSONReader.read(
        FakeWorld.run("show", device.id, "--format", "json").output)
      #expect(json["memory_bytes"] == .integer(device.memory.count))
    }
  }

  @Test("prints each strategy and optimizer")
  func techniques() {
    for name in Strategies.all.map({ $0.name }) + Optimizers.all.map({ $0.name }) {
      #expect(FakeWorld.run("show", name).output.hasPrefix("name                \(name)\n"))
    }
  }

  @Test("prints every key of a strategy, an optimizer and a block of the scenario, and its JSON")
  func keys() throws {
    let entries =
      Strategies.all.map { ($0.name, $0.keys) }
      + Optimizers.all.map { ($0.name, Optimizers.keys(of: $0)) }
      + ScenarioReader.keys.filter { $0.name != "strategies" }.map { key in
        if case .object(let keys) = key.values { (key.name, keys) } else { (key.name, []) }
      }
    for (name, keys) in entries {
      let text = FakeWorld.run("show", name).output
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.allSatisfy { $0.count <= 80 && $0.last != " " }, "\(name)")
      let json = try JSONReader.read(FakeWorld.run("show", name, "--format", "json").output)
      guard case .array(let elements)? = json["keys"] else {
        Issue.record("\(name) has no keys")
        continue
      }
      #expect(elements.map { $0["name"] } == keys.map { .string($0.name) })
      for key in keys {
        #expect(lines.contains { $0.hasPrefix("  " + key.name) }, "\(name).\(key.name)")
      }
    }
  }

  @Test("says of a key what it takes, what stands for it, and what it belongs to") func key() {
    let text = FakeWorld.run("show", "checkpointing").output
    #expect(
      text.contains(
        """
        keys of "strategies.checkpointing"
          policy            "none", "full", "every", "first", "layers", "selective",
                            "mixed", "auto", "min_cut"; default "full"
                            which layers are computed again
          interval          a whole number from 1 to 100,000; needed
                            layers 0, k, 2k, … are checkpointed
                            only with "policy": "every"

        """))
  }
}
