/// Reads `hardware`: which device, how many, and what connects them.
extension ScenarioReader {
  /// What `hardware` says.
  struct Hardware {
    var device: Device
    var devices: Int?
    var hostMemory: Bytes?
    var interconnect: Interconnect
    /// What the scenario says of prices and power; the amounts have no currency yet.
    var price: OwnPrice?
  }

  /// Price, rent and power of the scenario's device.
  struct OwnPrice {
    var device: String
    var price: Double?
    var rental: Double?
    var watts: Double?
  }

  private static let defaultDevice = "h100-sxm"

  static let hardwareKeys = [
    SettingKey(
      "device", .text, default: .string(defaultDevice), "an id from \"plan show devices\""),
    SettingKey(
      "device", .object(deviceKeys), default: .string(defaultDevice), "a device of your own"),
    SettingKey(
      "devices", .integer(1...1_000_000), otherwise: "what the strategies use",
      "how many there are"),
    SettingKey(
      "host_memory", .other("a size", "64GiB"), otherwise: "not checked",
      "what the host offers to the run; a cpu of the catalog needs it"),
    SettingKey(
      "link_GBps", .number(0.001...1e6), otherwise: "the device's",
      "rate between devices of a node, each way"),
    SettingKey(
      "network_GBps", .number(0.001...1e6), otherwise: "the device's",
      "rate between nodes, for each device"),
    SettingKey(
      "devices_per_node", .integer(1...100_000), otherwise: "the device's", "devices of a node"),
    SettingKey("price", .number(0...1e12), otherwise: "the catalog's", "of one device"),
    SettingKey(
      "rental_per_hour", .number(0...1e12), otherwise: "the catalog's", "of one device"),
    SettingKey("watts", .number(0.001...1e9), otherwise: "the data sheet's", "of one device"),
  ]

  private static let deviceKeys = [
    SettingKey("id", .text, default: "custom", "short name"),
    SettingKey("name", .text, otherwise: "its id", "name in the report"),
    SettingKey(
      "kind", .choice(of: Device.Kind.self), default: "gpu", "a processor trains in host memory"),
    SettingKey(
      "memory_gib", .number(0.001...1_000_000), otherwise: "memory_bytes",
      "what it offers to a process; this or memory_bytes"),
    SettingKey(
      "memory_bytes", .integer(1...(1 << 50)), otherwise: "memory_gib", "the same, exactly"),
    SettingKey(
      "compute_capability", .other("a CUDA compute capability", 8.9), otherwise: "needed of a GPU",
      "decides which kernels run"),
    SettingKey(
      "multiprocessors", .integer(1...100_000), otherwise: "needed of a GPU",
      "streaming multiprocessors"),
    SettingKey(needed: "bandwidth_GBps", .number(0.001...1e9), "of its memory"),
    SettingKey(
      "host_bandwidth_GBps", .number(0.001...1e6), otherwise: "PCIe of its generation",
      "of its link to the host, each way"),
    SettingKey(needed: "tflops", .object(rateKeys), "dense rates, in TFLOP/s"),
  ]

  private static let rateKeys = [
    SettingKey(needed: "fp32", .number(0.001...1e9), "of fp32 products"),
    SettingKey("fp16", .number(0...1e9), default: 0, "of fp16 products"),
    SettingKey("bf16", .number(0...1e9), default: 0, "of bf16 products"),
  ]

  func readHardware(_ settings: inout Settings, _ defaults: inout Defaults)
    throws(PlanError) -> Hardware
  {
    var hardware = try Settings(
      settings.value("hardware") ?? [:], path: "hardware", keys: Self.hardwareKeys)
    let hostMemory = try Self.hostMemory(&hardware)
    let device: Device
    switch hardware.value("device") {
    case .string(let id)?: device = try Self.device(id, hostMemory)
    case let object?: device = try Self.device(object, path: hardware.place("device"))
    case nil:
      device = try Self.device(Self.defaultDevice, hostMemory)
      defaults.note("device", "device \(Self.defaultDevice)")
    }
    let devices = try hardware.optionalInteger("devices")
    if devices == nil { defaults.note("devices", "as many devices as the strategies use") }
    var interconnect = Interconnect(of: device)
    if let rate = try hardware.optionalNumber("link_GBps") {
      interconnect.link = rate * 1e9
      interconnect.linkText = "a link at \(Decimal.text(rate, digits: 1)) GB/s"
    }
    if let rate = try hardware.optionalNumber("network_GBps") {
      interconnect.network = rate * 1e9
    }
    if let count = try hardware.optionalInteger("devices_per_node") {
      interconnect.devicesPerNode = count
    }
    let own = OwnPrice(
      device: device.id, price: try hardware.optionalNumber("price"),
      rental: try hardware.optionalNumber("rental_per_hour"),
      watts: try hardware.optionalNumber("watts"))
    try hardware.finish()
    return Hardware(
      device: device, devices: devices, hostMemory: hostMemory, interconnect: interconnect,
      price: own)
  }

  /// The scenario's own prices, in front of the list that the reader has.
  func prices(_ own: OwnPrice?, in currency: String?) throws(PlanError) -> PriceList {
    var list = prices
    guard let own, own.price ?? own.rental ?? own.watts != nil else { return list }
    let currency = currency ?? list.currency ?? CatalogPrices.currency
    func said(_ amount: Double?) -> DevicePrice? {
      amount.map {
        DevicePrice(
          amount: $0, currency: currency, seller: "the scenario", asOf: "",
          source: "the scenario")
      }
    }
    list.prepend(
      PriceList.Entry(
        device: own.device, price: said(own.price), rental: said(own.rental), watts: own.watts),
      currency: currency)
    return list
  }

  /// What the host offers: `"64GiB"`.
  private static func hostMemory(_ hardware: inout Settings) throws(PlanError) -> Bytes? {
    guard let text = try hardware.optionalString("host_memory") else { return nil }
    guard let bytes = Bytes(size: text) else { throw .noSize(text, hardware.place("host_memory")) }
    return bytes
  }

  private static func device(_ id: String, _ hostMemory: Bytes?) throws(PlanError) -> Device {
    if var device = DeviceCatalog.named(id) {
      guard device.kind == .processor else { return device }
      guard let hostMemory else { throw .noHostMemory(id) }
      device.memory = hostMemory
      return device
    }
    if let unplanned = UnplannedDevice.named(id) { throw .notPlanned(unplanned) }
    throw .unknownName(
      id, "device", among: (DeviceCatalog.all + ProcessorDevices.all).map(\.id),
      path: "hardware.device",
      list: "plan show devices")
  }

  /// A device that the user describes.
  private static func device(_ value: JSONValue, path: String) throws(PlanError) -> Device {
    guard case .object = value else { throw .badDevice(value, path) }
    var settings = try Settings(value, path: path, keys: deviceKeys)
    let kind: Device.Kind = try settings.choice("kind")
    let name = try settings.optionalString("name")
    let id = try settings.optionalString("id")
    let memory = try memory(&settings)
    let isProcessor = kind == .processor
    if isProcessor { try refuseGPUKeys(&settings) }
    let capability = isProcessor ? 0 : try computeCapability(&settings)
    let multiprocessors =
      isProcessor ? 0 : try settings.integer("multiprocessors")
    let bandwidth = try positive("bandwidth_GBps", &settings) * 1e9
    var device = Device(
      id: id ?? "custom", name: name ?? id ?? "a device of your own", memory: memory,
      memorySource: "the scenario", computeCapability: capability,
      multiprocessors: multiprocessors, bandwidth: bandwidth, rates: try rates(&settings),
      source: "the scenario")
    device.kind = kind
    device.hostBandwidth = try settings.optionalNumber("host_bandwidth_GBps")
      .map { $0 * 1e9 }
    try settings.finish()
    return device
  }

  /// A processor has none of these.
  private static func refuseGPUKeys(_ settings: inout Settings) throws(PlanError) {
    for key in ["compute_capability", "multiprocessors", "host_bandwidth_GBps"]
    where settings.value(key) != nil {
      throw PlanError(
        .conflict, "a cpu has no \(key)", path: settings.place(key), fix: "Leave it out.")
    }
  }

  private static func memory(_ settings: inout Settings) throws(PlanError) -> Bytes {
    let bytes = try settings.optionalInteger("memory_bytes")
    let gibibytes = try settings.optionalNumber("memory_gib")
    switch (bytes, gibibytes) {
    case (let bytes?, nil): return Bytes(bytes)
    case (nil, let gibibytes?):
      guard let bytes = Int(exactly: (gibibytes * 1_073_741_824).rounded(.down)) else { break }
      return Bytes(bytes)
    case (.some, .some): throw .twoMemories(settings.place("memory_gib"))
    case (nil, nil): break
    }
    throw .noMemory(settings.place("memory_gib"))
  }

  private static func computeCapability(_ settings: inout Settings) throws(PlanError) -> Int {
    let key = "compute_capability"
    let number: Double
    switch settings.value(key) {
    case .string(let text)?: number = Double(text) ?? .nan
    case .some: number = try settings.optionalNumber(key, in: 0...100) ?? .nan
    case nil: number = .nan
    }
    let tenths = (number * 10).rounded()
    guard let capability = Int(exactly: tenths), 50...150 ~= capability,
      abs(number * 10 - tenths) < 1e-6
    else { throw .badCapability(settings.place(key), settings.value(key)) }
    return capability
  }

  private static func rates(_ settings: inout Settings) throws(PlanError) -> Device.Rates {
    guard var rates = try settings.object("tflops") else {
      throw .noRates(settings.place("tflops"))
    }
    return Device.Rates(
      fp32: try positive("fp32", &rates) * 1e12,
      fp16: try rates.number("fp16") * 1e12,
      bf16: try rates.number("bf16") * 1e12)
  }

  private static func positive(_ key: String, _ settings: inout Settings) throws(PlanError)
    -> Double
  {
    if let number = try settings.optionalNumber(key) { return number }
    throw .noFigure(key, settings.place(key))
  }
}

extension PlanError {
  fileprivate static func noSize(_ text: String, _ path: String) -> Self {
    Self(
      .invalid, "\"\(text.prefix(80))\" is not a size", path: path,
      fix: "Write a number with its unit, such as \"64GiB\" or \"128GB\".")
  }

  fileprivate static func noHostMemory(_ id: String) -> Self {
    Self(
      .invalid, "\(id) trains in the host's memory, and \"host_memory\" is missing",
      path: "hardware.host_memory", fix: "Add \"host_memory\": \"256GiB\".")
  }

  fileprivate static func notPlanned(_ device: UnplannedDevice) -> Self {
    Self(
      .unsupported, "\(device.name) cannot be planned: \(device.reason)", path: "hardware.device",
      fix: "Choose a device from \"plan show devices\".")
  }

  fileprivate static func badDevice(_ value: JSONValue, _ path: String) -> Self {
    Self(
      .invalid, "expected a device, found \(value.shown)", path: path,
      fix: "Write an id from \"plan show devices\", or an object with memory_gib and so on.")
  }

  fileprivate static func noMemory(_ path: String) -> Self {
    Self(
      .invalid, "\"memory_gib\" is missing", path: path,
      fix: "Add \"memory_gib\": what the device offers to a process, or \"memory_bytes\".")
  }

  fileprivate static func twoMemories(_ path: String) -> Self {
    Self(
      .conflict, "memory_gib and memory_bytes say the same thing twice", path: path,
      fix: "Remove one of the two.")
  }

  fileprivate static func badCapability(_ path: String, _ value: JSONValue?) -> Self {
    Self(
      .invalid, "\(value?.shown ?? "nothing") is not a CUDA compute capability", path: path,
      fix: "Write it as NVIDIA does, from 5.0 to 15.0: \"compute_capability\": 8.9.")
  }

  fileprivate static func noRates(_ path: String) -> Self {
    Self(
      .invalid, "\"tflops\" is missing", path: path,
      fix: "Add \"tflops\": { \"fp32\": 82.6, \"fp16\": 165.2, \"bf16\": 165.2 }, dense rates.")
  }

  fileprivate static func noFigure(_ key: String, _ path: String) -> Self {
    Self(.invalid, "\"\(key)\" is missing", path: path, fix: "Add \"\(key)\": a number.")
  }
}
