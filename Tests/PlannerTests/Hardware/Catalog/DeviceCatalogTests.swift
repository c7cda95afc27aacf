import Testing

@testable import Planner

@Suite("The device catalog") struct DeviceCatalogTests {
  @Test("names each device once")
  func unique() {
    #expect(Set(DeviceCatalog.all.map(\.id)).count == DeviceCatalog.all.count)
    for device in DeviceCatalog.all { #expect(device.id == device.id.lowercased()) }
  }

  @Test("finds a device by its id, in any case")
  func named() {
    #expect(DeviceCatalog.named("RTX-4090")?.multiprocessors == 128)
    #expect(DeviceCatalog.named("rtx-4091") == nil)
  }

  /// Totals in MiB under which the reference figures were made.
  @Test(
    "never offers more memory than the reference runs had",
    arguments: [
      ("rtx-4090", 24_209), ("rtx-3090", 24_134), ("h100-sxm", 81_089), ("a100-80gb-sxm", 81_153),
      ("h200-sxm", 143_156), ("l40s", 45_464), ("b200", 182_642), ("t4", 14_912),
    ])
  func memory(id: String, mebibytes: Int) throws {
    let device = try #require(DeviceCatalog.named(id))
    #expect(device.memory <= Bytes(mebibytes << 20))
    #expect(device.memory.gibibytes > Double(mebibytes) / 1024 * 0.99)
  }

  @Test("knows how fast each device is, and bf16 from Ampere on")
  func rates() {
    for device in DeviceCatalog.all {
      #expect(device.bandwidth > 1e11 && device.bandwidth < 1e13)
      #expect(device.rates.fp32 > 0 && device.rates.fp16 >= device.rates.fp32)
      #expect((device.rates.bf16 > 0) == (device.computeCapability >= 80))
      #expect(!device.memorySource.isEmpty && !device.source.isEmpty)
    }
  }
}
