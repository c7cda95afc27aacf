import Testing

@testable import Planner

@Suite("Steps that PyTorch's allocator recorded") struct AllocatorTraceTests {
  static let cases = Fixtures.cases("allocator-traces")

  private func settings(_ trace: Fixtures.Case) throws -> AllocatorSettings {
    var settings = try Settings(
      trace["allocator"] ?? .null, path: "allocator", keys: AllocatorSettings.keys)
    let read = try AllocatorSettings(&settings)
    try settings.finish()
    return read
  }

  private func array(_ value: JSONValue?) throws -> [JSONValue] {
    guard case .array(let values)? = value else {
      Issue.record("no array")
      return []
    }
    return values
  }

  private func integer(_ value: JSONValue) throws -> Int {
    guard case .integer(let number) = value else {
      Issue.record("no number: \(value)")
      return 0
    }
    return number
  }

  @Test("take the same memory at the same moments, and leave the same segments", arguments: cases)
  func replay(_ trace: Fixtures.Case) throws {
    let memory = trace.value.integer("memory") ?? DeviceMemory.unlimited
    var allocator = CachingAllocator(
      AllocatorRules(try settings(trace)), memory: DeviceMemory(capacity: memory))
    var blocks: [Int32] = []
    var reserved: [[Int]] = []
    for (index, event) in try array(trace["events"]).enumerated() {
      let before = allocator.statistics.reserved.current
      switch event {
      case .integer(let bytes) where bytes > 0:
        blocks.append(try allocator.take(bytes))
      case .integer(let block): allocator.free(blocks[-block - 1])
      case .array(let pair):
        let (bytes, stream) = (try integer(pair[0]), UInt8(try integer(pair[1])))
        if pair.count > 2 {
          let block = allocator.allocate(bytes, stream: stream)
          #expect(block == nil)
        } else {
          blocks.append(try allocator.take(bytes, stream: stream))
        }
      default: Issue.record("no event: \(event)")
      }
      let now = allocator.statistics.reserved.current
      if now != before { reserved.append([index, now]) }
    }
    let expected = try array(trace["reserved"]).map { try array($0).map(integer) }
    #expect(reserved == expected)
    let segments = allocator.segments.map { $0.map { $0.isAllocated ? $0.size : -$0.size } }
    #expect(segments == (try array(trace["segments"]).map { try array($0).map(integer) }))
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 14) }
}
