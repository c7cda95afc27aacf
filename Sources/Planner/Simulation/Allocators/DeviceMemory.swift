/// The driver's side of the allocator: how much there is, and at which addresses it is handed out.
struct DeviceMemory: Sendable {
  /// The order in which the driver hands out addresses, which decides between free blocks of equal size.
  enum AddressOrder: Hashable, Sendable {
    /// Each address above the last.
    case ascending
    /// Each below the last.
    case descending
    /// In no order, but the same one every time.
    case shuffled(UInt64)
  }

  /// Bytes that a process can take, the CUDA context excluded.
  let capacity: Int
  /// The order of addresses.
  let order: AddressOrder
  /// Bytes taken.
  private(set) var used = 0
  /// The most bytes that were taken together.
  private(set) var most = 0
  private var taken = 0

  /// More than any device has: 1 EiB.
  static let unlimited = 1 << 60
  /// `cudaMalloc` takes physical memory in pieces of 2 MiB.
  static let granularity = 2 << 20
  /// Segments begin at multiples of 2 to this power: more than the largest has.
  static let segmentBits = 41

  init(capacity: Int = Self.unlimited, order: AddressOrder = .ascending) {
    self.capacity = capacity
    self.order = order
  }

  /// Takes memory, if there is enough.
  mutating func take(_ bytes: Int) -> Bool {
    let whole = (bytes &+ (Self.granularity - 1)) & ~(Self.granularity - 1)
    guard whole >= bytes, whole <= capacity - used else { return false }
    used += whole
    most = max(most, used)
    return true
  }

  /// Gives memory back.
  mutating func give(_ bytes: Int) {
    used -= (bytes &+ (Self.granularity - 1)) & ~(Self.granularity - 1)
  }

  /// Where the next segment begins.
  mutating func address() -> Int {
    taken &+= 1
    let bits = 62 - Self.segmentBits
    let mask = (1 << bits) - 1
    switch order {
    case .ascending: return (taken & mask) << Self.segmentBits
    case .descending: return (mask - taken & mask) << Self.segmentBits
    case .shuffled(let seed):
      // An odd multiplier and shifts permute the numbers: no two segments meet.
      var number = (taken &+ Int(truncatingIfNeeded: seed &* 0x9E37_79B9)) & mask
      number = number &* 0x2C_9277_B5 & mask
      number ^= number >> (bits / 2)
      number = number &* 0x19_660D & mask
      number ^= number >> (bits / 2)
      return number << Self.segmentBits
    }
  }
}
