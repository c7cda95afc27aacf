import Testing

@testable import Planner

@Suite("A scenario on processors") struct ProcessorScenarioTests {
  private func read(_ hardware: JSONValue, _ extra: [JSONValue.Member] = []) throws(PlanError)
    -> Scenario
  {
    try OffloadedOptimizerTests.scenario([.init("hardware", hardware)] + extra, strategies: [:])
  }

  private func error(_ hardware: JSONValue, _ extra: [JSONValue.Member] = []) -> PlanError? {
    do throws(PlanError) {
      _ = try read(hardware, extra)
      return nil
    } catch { return error }
  }

  private static let own: JSONValue = [
    "device": [
      "kind": "cpu", "memory_gib": 32, "bandwidth_GBps": 100, "tflops": ["fp32": 2, "bf16": 4],
    ]
  ]

  @Test("takes one tensor after the other, PyTorch's default there") func optimizer() throws {
    #expect(try read(Self.own).optimizer.label == "AdamW (for-loop)")
    let momentum = try read(
      Self.own, [.init("optimizer", ["name": "sgd", "momentum": 0.9])])
    #expect(momentum.optimizer.label == "SGD (for-loop, momentum)")
    let foreach = try read(
      Self.own, [.init("optimizer", ["name": "adamw", "implementation": "foreach"])])
    #expect(foreach.optimizer.label == "AdamW (foreach)")
  }

  @Test("says how much memory a processor of the catalog has") func memory() throws {
    let xeon: JSONValue = ["device": "xeon-4516y-plus-2s", "host_memory": "160GB"]
    #expect(try read(xeon).device.memory.count == 160_000_000_000)
    let missing = error(["device": "xeon-4516y-plus-2s"])
    #expect(missing?.path == "hardware.host_memory")
  }

  @Test("has nothing that needs a GPU") func refusals() {
    #expect(error(Self.own, [.init("kernels", "liger")])?.path == "kernels")
    #expect(error(Self.own, [.init("optimizer", "adamw-8bit")])?.path == "optimizer")
    let offload = error(Self.own, [.init("strategies", ["offload_activations": [:]])])
    #expect(offload?.path == "strategies.offload_activations")
    let capable = error([
      "device": [
        "kind": "cpu", "memory_gib": 32, "bandwidth_GBps": 100, "tflops": ["fp32": 2],
        "compute_capability": 8.9,
      ]
    ])
    #expect(capable?.path == "hardware.device.compute_capability")
  }
}
