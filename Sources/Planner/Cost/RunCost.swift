/// What a run costs on hardware that is rented, and on hardware that is bought for it.
public struct RunCost: Hashable, Sendable {
  /// The currency of every amount.
  public var currency: String
  /// What one device costs to rent for an hour, and who says so; `nil` where nobody does.
  public var rental: DevicePrice?
  /// What one device costs to buy.
  public var price: DevicePrice?
  /// The run on rented devices.
  public var rented: Double?
  /// All devices and nodes, bought.
  public var hardware: Double?
  /// The run's share of bought hardware, written off over its working hours.
  public var writtenOff: Double?
  /// The electricity of the run; `nil` where the device's power is not known.
  public var energy: Double?
  /// The run on bought hardware: its share and the electricity.
  public var bought: Double?
  /// Hours of work after which buying has cost less than renting; `nil` where it never does.
  public var breakEvenHours: Double?
  /// A year of runs on rented devices, where they are made again.
  public var rentedPerYear: Double?
  /// A year of runs on bought hardware, whether it works all the time or not.
  public var boughtPerYear: Double?

  /// Hours of a year of 365 days.
  static let hoursPerYear = 8760.0

  init(
    _ settings: RunSettings, _ prices: PriceList, _ device: Device, nodes: Int, _ time: RunTime,
    _ energy: RunEnergy?
  ) {
    currency = settings.currency ?? prices.currency ?? CatalogPrices.currency
    rental = prices.rental(of: device).flatMap { $0.converted(to: currency, settings.perDollar) }
    price = prices.price(of: device).flatMap { $0.converted(to: currency, settings.perDollar) }
    self.energy = energy?.cost
    let devices = Double(time.devices)
    rented = rental.map { $0.amount * time.deviceHours }
    hardware = price.map { $0.amount * devices + settings.nodePrice * Double(nodes) }
    let workingHours = settings.years * Self.hoursPerYear * settings.utilization
    writtenOff = hardware.map { $0 * time.hours / workingHours }
    if let writtenOff, let energy { bought = writtenOff + energy.cost }
    if let hardware, let rental, let energy {
      let saved = rental.amount * devices - energy.kilowatts * settings.pricePerKilowattHour
      breakEvenHours = saved > 0 ? hardware / saved : nil
    }
    if let runs = settings.runsPerYear {
      rentedPerYear = rented.map { $0 * runs }
      if let hardware, let energy {
        boughtPerYear = hardware / settings.years + energy.cost * runs
      }
    }
  }
}

extension DevicePrice {
  /// The price in another currency; `nil` where the rate is not known.
  fileprivate func converted(to wanted: String, _ perDollar: Double?) -> Self? {
    if currency == wanted { return self }
    guard currency == CatalogPrices.currency, let perDollar else { return nil }
    var other = self
    other.amount *= perDollar
    other.currency = wanted
    return other
  }
}
