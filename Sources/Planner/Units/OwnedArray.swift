/// A growable list that cannot be copied.
///
/// An array asks at each write whether somebody else holds it too. What has one owner need not ask, which matters
/// where a list is written millions of times. Indices are checked, as an array's are.
struct OwnedArray<Element: ~Copyable>: ~Copyable {
  private var base: UnsafeMutablePointer<Element>
  private var capacity: Int
  /// How many elements there are.
  private(set) var count = 0

  /// An empty list with room for at least one element.
  init(capacity: Int = 16) {
    self.capacity = max(capacity, 1)
    base = .allocate(capacity: self.capacity)
  }

  deinit {
    base.deinitialize(count: count)
    base.deallocate()
  }

  /// The indices of the elements.
  var indices: Range<Int> { 0..<count }
  /// Whether there are none.
  var isEmpty: Bool { count == 0 }

  /// The element at an index of the list.
  subscript(index: Int) -> Element {
    @inline(__always) _read {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
      yield base[index]
    }
    @inline(__always) _modify {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
      yield &base[index]
    }
  }

  /// Adds an element at the end.
  mutating func append(_ element: consuming Element) {
    if count == capacity { grow() }
    (base + count).initialize(to: element)
    count &+= 1
  }

  /// Takes the last element off; `nil` where there is none.
  mutating func popLast() -> Element? {
    guard count > 0 else { return nil }
    count &-= 1
    return (base + count).move()
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: base, count: count)
    base.deallocate()
    (base, capacity) = (larger, capacity * 2)
  }
}

extension OwnedArray where Element: BitwiseCopyable {
  /// Moves `count` elements from one index to another; both ranges lie within the list.
  @inline(__always)
  mutating func move(_ count: Int, from start: Int, to end: Int) {
    guard count > 0 else { return }
    precondition(start >= 0 && end >= 0 && max(start, end) &+ count <= self.count)
    (base + end).update(from: base + start, count: count)
  }

  /// Puts an element at an index, ahead of those from there on.
  mutating func insert(_ element: Element, at index: Int) {
    append(element)
    move(count &- 1 &- index, from: index, to: index &+ 1)
    self[index] = element
  }

  /// Takes the element at an index out.
  mutating func remove(at index: Int) {
    move(count &- 1 &- index, from: index &+ 1, to: index)
    _ = popLast()
  }

  /// The elements, in a buffer that lives as long as the call.
  @inline(__always)
  func withBuffer<Result>(_ body: (UnsafeBufferPointer<Element>) -> Result) -> Result {
    body(UnsafeBufferPointer(start: base, count: count))
  }
}

extension OwnedArray: @unchecked Sendable where Element: Sendable & ~Copyable {}
