/// What electricity a run takes.
public struct RunEnergy: Hashable, Sendable {
  /// Watts of one device while it trains.
  public var deviceWatts: Double
  /// Kilowatts of everything: devices, the nodes around them, and the building.
  public var kilowatts: Double
  /// Kilowatt-hours of the whole run.
  public var kilowattHours: Double
  /// What they cost.
  public var cost: Double

  /// devices × watts × share × (1 + node) × PUE, over the hours of the run.
  init(watts: Double, _ settings: RunSettings, _ time: RunTime) {
    deviceWatts = watts * settings.powerFraction
    kilowatts =
      deviceWatts * Double(time.devices) * (1 + settings.nodePower) * settings.pue / 1000
    kilowattHours = kilowatts * time.hours
    cost = kilowattHours * settings.pricePerKilowattHour
  }
}
