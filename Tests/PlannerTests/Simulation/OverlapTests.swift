import Testing

@testable import Planner

@Suite("Collectives beside kernels") struct OverlapTests {
  /// A link of 100 GB/s between two devices: half of a gathered payload passes it.
  private func link() throws -> Interconnect {
    var link = Interconnect(of: try #require(DeviceCatalog.named("h100-sxm")))
    (link.link, link.network, link.devicesPerNode) = (100e9, 10e9, 8)
    return link
  }

  private func overlap(seconds: Double, calls: Int, waits: Bool = false) -> Overlap {
    var work = Work()
    work.time = KernelTime(.product, seconds: seconds)
    // 20 GB among two devices: 10 GB on the link, 0.1 s, and 30 µs before the first byte.
    work.traffic.add(.allGather, payload: 20_000_000_000, among: 2, copies: calls, waits: waits)
    return Overlap(work: work, count: 1)
  }

  @Test("show the first one, and slow the kernels that the others hide behind")
  func hidden() throws {
    // Four of 0.10003 s behind 10 s: one shows, three slow what runs by 0.126 of their time.
    let exposed = overlap(seconds: 10, calls: 4).exposed(over: try link())
    #expect(abs(exposed - (0.10003 + 0.126 * 0.30009)) < 1e-9)
  }

  @Test("show what takes longer than the kernels")
  func longer() throws {
    // Forty take 4.0012 s, the kernels 1 s: 3.0012 s show, and the whole second is slowed.
    let exposed = overlap(seconds: 1, calls: 40).exposed(over: try link())
    #expect(abs(exposed - (3.0012 + 0.126)) < 1e-9)
  }

  @Test("hide behind nothing where their result is needed at once")
  func waiting() throws {
    let exposed = overlap(seconds: 10, calls: 4, waits: true).exposed(over: try link())
    #expect(abs(exposed - 0.40012) < 1e-9)
  }
}
