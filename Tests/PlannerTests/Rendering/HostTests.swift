import Testing

@testable import Planner

@Suite("What lies on the host, in a report") struct HostTests {
  private func report(_ strategies: JSONValue) throws -> Report {
    try Planner.plan(
      try OffloadedOptimizerTests.scenario(
        [.init("hardware", ["device": "rtx-4090", "host_memory": "2GiB"])], strategies: strategies))
  }

  @Test("has keys of its own in JSON") func json() throws {
    let report = try report(["offload_optimizer": [:], "offload_activations": [:]])
    let value = JSONRenderer.value(of: .planned(report, remedies: nil))
    let host = try #require(value["host"])
    #expect(value.integer("host_bytes") == report.host?.needed.count)
    #expect(host.integer("capacity_bytes") == 2_147_483_648)
    #expect(host["fits"] == true)
    #expect(host.integer("breakdown_bytes", "parameters") == 229_376)
    let parts = ["parameters", "gradients", "optimizer_state", "activations"].compactMap {
      host.integer("breakdown_bytes", $0)
    }
    #expect(parts.count == 4 && parts.reduce(0, +) == value.integer("host_bytes"))
    #expect((host.integer("to_host_bytes") ?? 0) > 229_376)
    #expect((host.integer("to_device_bytes") ?? 0) > 229_376)
  }

  @Test("is absent where nothing lies there") func absent() throws {
    let report = try report([:])
    let value = JSONRenderer.value(of: .planned(report, remedies: nil))
    #expect(report.host == nil && value["host"] == nil && value["host_bytes"] == nil)
  }

  /// 2 x 229,376 bytes at 25 GB/s; 114,688 elements at 4 billion a second take longer than their way back.
  @Test("says what transfers and the update add to a step") func exposed() throws {
    let host = try #require(try report(["offload_optimizer": [:]]).host)
    #expect(abs(host.transferSeconds.value - 458_752 / 25e9) < 1e-12)
    #expect(host.exposedSeconds.value >= 114_688 / 4e9)
    #expect(host.exposedSeconds.value <= 114_688 / 4e9 + 229_376 / 25e9)
  }

  @Test(
    "knows the link of each generation",
    arguments: [
      ("v100-pcie-16gb", 12.5e9), ("rtx-4090", 25e9), ("rtx-4060-ti-16gb", 12.5e9),
      ("h100-sxm", 55e9), ("rtx-5090", 55e9),
    ])
  func links(_ device: String, _ bandwidth: Double) throws {
    let link = HostLink(of: try #require(DeviceCatalog.named(device)))
    #expect(link.rate(pinned: true) == bandwidth && link.rate(pinned: false) == bandwidth / 2)
  }
}
