import Planner

/// Single entries of the lists, as JSON and as lines.
enum ShowEntries {
  /// The model's config, ready to be saved, edited and given back as `--model FILE`.
  ///
  /// What is not part of a `config.json` comes first, under keys with an underscore, which readers of configs ignore.
  static func config(of model: CatalogModel) -> JSONValue {
    var members: [JSONValue.Member] = [
      .init("_name_or_path", .string(model.hub)),
      .init("_parameters", .integer(model.parameters)), .init("_source", .string(model.source)),
    ]
    if case .object(let config) = model.config {
      members += config.filter { $0.key != "_name_or_path" }
    }
    return .object(members)
  }

  static func json(of device: Device) -> JSONValue {
    let prices = PriceList()
    var members: [JSONValue.Member] = [
      .init("id", .string(device.id)), .init("name", .string(device.name)),
      .init("memory_bytes", .integer(device.memory.count)),
      .init("memory_source", .string(device.memorySource)),
      .init("compute_capability", .string(capability(device))),
      .init("multiprocessors", .integer(device.multiprocessors)),
      .init("bandwidth_GBps", .number(device.bandwidth / 1e9)),
      .init(
        "tflops",
        [
          "fp32": .number(device.rates.fp32 / 1e12), "fp16": .number(device.rates.fp16 / 1e12),
          "bf16": .number(device.rates.bf16 / 1e12),
        ]),
      .init("source", .string(device.source)), .init("read", .string(DeviceCatalog.asOf)),
    ]
    if let year = device.year { members.append(.init("year", .string("\(year)"))) }
    if let watts = prices.watts(of: device) { members.append(.init("watts", .number(watts))) }
    let link = device.links
    members += [
      .init("devices_per_node", .integer(link.devicesPerNode)),
      .init("link", .string(link.linkText)),
      .init("network_GBps", .number(link.network / 1e9)),
    ]
    if let price = prices.price(of: device) { members.append(.init("price", json(of: price))) }
    if let rental = prices.rental(of: device) {
      members.append(.init("rental_per_hour", json(of: rental)))
    }
    return .object(members)
  }

  private static func json(of price: DevicePrice) -> JSONValue {
    [
      "amount": .number(price.amount), "currency": .string(price.currency),
      "seller": .string(price.seller), "as_of": .string(price.asOf),
      "source": .string(price.source),
    ]
  }

  static func json(of device: UnplannedDevice) -> JSONValue {
    [
      "id": .string(device.id), "name": .string(device.name), "memory": .string(device.memory),
      "year": .string("\(device.year)"), "not_planned": .string(device.reason),
    ]
  }

  static func json(of strategy: any Strategy.Type) -> JSONValue {
    let decisions = strategy.decisions.map(\.rawValue).sorted()
    return [
      "name": .string(strategy.name), "summary": .string(strategy.summary),
      "stage": .string("\(strategy.stage)"), "decides": .array(decisions.map { .string($0) }),
    ]
  }

  static func json(of optimizer: any Optimizer.Type) -> JSONValue {
    ["name": .string(optimizer.name), "summary": .string(optimizer.summary)]
  }

  /// An entry with settings: what it is, and the keys of the object at `path`.
  struct Described {
    let head: JSONValue
    let path: String
    let keys: [SettingKey]
  }

  /// The strategy, the optimizer or the key of a scenario with this name.
  static func described(_ name: String) -> Described? {
    if let strategy = Strategies.named(name) {
      return Described(
        head: json(of: strategy), path: "strategies.\(name)", keys: strategy.keys)
    }
    if let optimizer = Optimizers.named(name) {
      return Described(
        head: json(of: optimizer), path: "optimizer", keys: Optimizers.keys(of: optimizer))
    }
    guard let key = ScenarioReader.keys.first(where: { $0.name == name }) else { return nil }
    var head: [JSONValue.Member] = [
      .init("name", .string(key.name)), .init("meaning", .string(key.meaning)),
      .init("takes", .string(ShowKeys.takes(key))),
    ]
    if let condition = key.condition { head.append(.init("only_with", .string(condition.text))) }
    guard case .object(let keys) = key.values else {
      return Described(head: .object(head), path: name, keys: [])
    }
    return Described(head: .object(head), path: name, keys: keys)
  }

  static func json(of entry: Described) -> JSONValue {
    guard case .object(let members) = entry.head else { return entry.head }
    return .object(members + [.init("keys", .array(entry.keys.map(ShowKeys.json)))])
  }

  static func lines(of entry: Described) -> String {
    let head = lines(of: entry.head)
    if entry.keys.isEmpty {
      return head + (entry.path.contains(".") ? "keys                none: {}\n" : "")
    }
    return head + "\nkeys of \"\(entry.path)\"\n" + ShowKeys.lines(of: entry.keys)
  }

  /// The compute capability as NVIDIA writes it: `8.9`.
  static func capability(_ device: Device) -> String {
    device.kind == .processor
      ? "-" : "\(device.computeCapability / 10).\(device.computeCapability % 10)"
  }

  /// The members of an object, one per line; long text goes on below itself.
  static func lines(of value: JSONValue) -> String {
    guard case .object(let members) = value else { return "" }
    var lines: [String] = []
    for member in members {
      let label = TextLayout.left(member.key.split(separator: "_").joined(separator: " "), 20)
      let text = TextLayout.wrap(text(of: member.value), TextLayout.width - 20)
      for (index, line) in text.enumerated() {
        lines.append((index == 0 ? label : TextLayout.left("", 20)) + line + "\n")
      }
    }
    return lines.joined()
  }

  private static func text(of value: JSONValue) -> String {
    switch value {
    case .string(let text): return text
    case .integer(let number): return TextLayout.grouped(number)
    case .number(let number):
      return Decimal.text(number, digits: abs(number) < 10 && number != number.rounded() ? 2 : 1)
    case .array(let elements): return elements.map(text(of:)).joined(separator: ", ")
    case .object(let members):
      return members.map { "\($0.key) \(text(of: $0.value))" }.joined(separator: ", ")
    case .bool(let truth): return truth ? "yes" : "no"
    case .null: return "none"
    }
  }
}
