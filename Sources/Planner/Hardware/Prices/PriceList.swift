/// A user's own prices, which go ahead of the catalog's.
///
///     { "currency": "EUR", "as_of": "2026-11-02", "source": "quotation 4711",
///       "devices": { "rtx-4090": { "price": 1900, "rental_per_hour": 0.35, "watts": 400 } } }
public struct PriceList: Hashable, Sendable {
  /// What is known of one kind of device.
  public struct Entry: Hashable, Sendable {
    /// The device's id.
    public var device: String
    /// What one costs to buy.
    public var price: DevicePrice?
    /// What one costs to rent for an hour.
    public var rental: DevicePrice?
    /// Watts that it draws.
    public var watts: Double?
  }

  /// Prices of devices; of several for a device the first counts.
  public private(set) var entries: [Entry] = []
  /// The currency of all of them, or `nil` where there are none.
  public private(set) var currency: String?

  /// No price.
  public init() {}

  private static let keys = [
    SettingKey("schema", .integer(1...1), default: 1, "the version of this format"),
    SettingKey(
      "currency", .other("three capital letters", "EUR"), default: "USD", "of all amounts"),
    SettingKey("as_of", .text, default: "undated", "the day of the prices"),
    SettingKey("source", .text, default: "the price list", "whose they are"),
    SettingKey(
      needed: "devices", .other("an object with a key for each device", [:]), "their prices"),
  ]

  private static let deviceKeys = [
    SettingKey("price", .number(0...1e12), otherwise: "the catalog's", "of one device"),
    SettingKey("rental_per_hour", .number(0...1e12), otherwise: "the catalog's", "of one device"),
    SettingKey("watts", .number(0.001...1e9), otherwise: "the data sheet's", "of one device"),
  ]

  /// Reads a list.
  ///
  /// - Throws: ``PlanError`` with the key path for what it does not know.
  public init(_ value: JSONValue, path: String = "") throws(PlanError) {
    var settings = try Settings(value, path: path, keys: Self.keys)
    _ = try settings.integer("schema")
    let currency = try settings.currency("currency") ?? CatalogPrices.currency
    let asOf = try settings.optionalString("as_of") ?? "undated"
    let source = try settings.optionalString("source") ?? "the price list"
    self.currency = currency
    guard var devices = try settings.object("devices") else {
      throw PlanError(
        .invalid, "\"devices\" is missing", path: settings.place("devices"),
        fix: "Add \"devices\": { \"rtx-4090\": { \"price\": 1900, \"rental_per_hour\": 0.35 } }.")
    }
    for id in devices.keys {
      guard var device = try devices.object(id, keys: Self.deviceKeys) else { continue }
      func price(_ key: String) throws(PlanError) -> DevicePrice? {
        try device.optionalNumber(key).map {
          DevicePrice(
            amount: $0, currency: currency, seller: source, asOf: asOf, source: "a price list")
        }
      }
      entries.append(
        Entry(
          device: id.lowercased(), price: try price("price"),
          rental: try price("rental_per_hour"),
          watts: try device.optionalNumber("watts")))
    }
  }

  /// What the scenario says of its device, in front of what the list says.
  mutating func prepend(_ entry: Entry, currency: String) {
    entries.insert(entry, at: 0)
    self.currency = self.currency ?? currency
  }

  /// The same prices with another list's behind them.
  public func followed(by other: Self) -> Self {
    var both = self
    both.entries += other.entries
    both.currency = currency ?? other.currency
    return both
  }

  /// What one device costs to buy: the list's price, else the newest of the catalog; `nil` where nobody says.
  public func price(of device: Device) -> DevicePrice? {
    for entry in entries where entry.device == device.id {
      if let price = entry.price { return price }
    }
    return CatalogPrices.newest(CatalogPrices.bought, of: device.id)
  }

  /// What one device costs to rent for an hour.
  public func rental(of device: Device) -> DevicePrice? {
    for entry in entries where entry.device == device.id {
      if let rental = entry.rental { return rental }
    }
    return CatalogPrices.newest(CatalogPrices.rented, of: device.id)
  }

  /// Watts that one device draws, or `nil` where nobody says.
  public func watts(of device: Device) -> Double? {
    for entry in entries where entry.device == device.id {
      if let watts = entry.watts { return watts }
    }
    return DeviceFacts.of(device.id)?.watts
  }
}

extension Settings {
  /// A currency's three letters in capitals; `nil` where absent.
  mutating func currency(_ key: String) throws(PlanError) -> String? {
    guard let text = try optionalString(key) else { return nil }
    guard text.utf8.count == 3, text.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
      throw PlanError(
        .invalid, "\"\(text.prefix(80))\" is no currency", path: place(key),
        fix: "Write its three capital letters, such as \"USD\" or \"EUR\".")
    }
    return text
  }
}
