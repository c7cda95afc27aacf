import Planner
import Testing

@testable import plan

@Suite("plan show") struct ShowCommandTests {
  @Test(
    "lists what there is, as a table and as JSON",
    arguments: ["models", "devices", "strategies", "optimizers"])
  func lists(name: String) throws {
    let table = FakeWorld.run("show", name)
    let json = try JSONReader.read(FakeWorld.run("show", name, "--format", "json").output)
    guard case .array(let elements) = json else {
      Issue.record("the JSON of \(name) is a list")
      return
    }
    let lines = table.output.split(separator: "\n")
    #expect(table.exitCode == .answered && lines.count == elements.count + 1)
    #expect(lines.allSatisfy { $0.last != " " })
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
}
