import Planner

/// A list that `plan show` prints.
struct ShowList {
  let name: String
  /// The names of its entries.
  let entries: [String]
  let table: Table
  let json: JSONValue
}

/// The lists, one function each.
enum ShowLists {
  static var all: [ShowList] { [models, devices, strategies, optimizers, scenario] }

  private static var models: ShowList {
    var table = Table(columns: [
      .init(heading: "model"), .init(heading: "parameters", isNumber: true),
      .init(heading: "type"), .init(heading: "Hugging Face"),
    ])
    var json: [JSONValue] = []
    for model in ModelCatalog.all {
      var type = ""
      if case .string(let text)? = model.config["model_type"] { type = text }
      table.rows.append([model.id, TextLayout.grouped(model.parameters), type, model.hub])
      json.append([
        "id": .string(model.id), "parameters": .integer(model.parameters),
        "model_type": .string(type), "hub": .string(model.hub), "source": .string(model.source),
      ])
    }
    return ShowList(
      name: "models", entries: ModelCatalog.all.map(\.id), table: table, json: .array(json))
  }

  private static var devices: ShowList {
    var table = Table(columns: [
      .init(heading: "device"), .init(heading: "GiB", isNumber: true),
      .init(heading: "CUDA", isNumber: true), .init(heading: "GB/s", isNumber: true),
      .init(heading: "bf16 TFLOP/s", isNumber: true), .init(heading: "name"),
    ])
    for device in DeviceCatalog.all + ProcessorDevices.all {
      table.rows.append([
        device.id, device.memory == .zero ? "-" : Decimal.text(device.memory.gibibytes, digits: 2),
        ShowEntries.capability(device), Decimal.text(device.bandwidth / 1e9, digits: 0),
        device.rates.bf16 > 0 ? Decimal.text(device.rates.bf16 / 1e12, digits: 1) : "-",
        device.name,
      ])
    }
    for device in UnplannedDevice.all {
      table.rows.append([device.id, "-", "-", "-", "-", "not planned: \(device.name)"])
    }
    let planned = DeviceCatalog.all + ProcessorDevices.all
    return ShowList(
      name: "devices", entries: planned.map(\.id) + UnplannedDevice.all.map(\.id), table: table,
      json: .array(
        planned.map { ShowEntries.json(of: $0) }
          + UnplannedDevice.all.map { ShowEntries.json(of: $0) }))
  }

  private static var strategies: ShowList {
    var table = Table(columns: [.init(heading: "strategy"), .init(heading: "what it does")])
    for strategy in Strategies.all { table.rows.append([strategy.name, strategy.summary]) }
    return ShowList(
      name: "strategies", entries: Strategies.all.map { $0.name }, table: table,
      json: .array(Strategies.all.map { ShowEntries.json(of: $0) }))
  }

  private static var scenario: ShowList {
    var table = Table(columns: [.init(heading: "key"), .init(heading: "what it says")])
    for key in ScenarioReader.keys { table.rows.append([key.name, key.meaning]) }
    return ShowList(
      name: "scenario", entries: ScenarioReader.keys.map(\.name), table: table,
      json: .array(ScenarioReader.keys.map(ShowKeys.json)))
  }

  private static var optimizers: ShowList {
    var table = Table(columns: [.init(heading: "optimizer"), .init(heading: "what it keeps")])
    for optimizer in Optimizers.all { table.rows.append([optimizer.name, optimizer.summary]) }
    return ShowList(
      name: "optimizers", entries: Optimizers.all.map { $0.name }, table: table,
      json: .array(Optimizers.all.map { ShowEntries.json(of: $0) }))
  }
}
