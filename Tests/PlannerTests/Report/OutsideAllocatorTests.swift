import Testing

@testable import Planner

@Suite("What lies outside the allocator") struct OutsideAllocatorTests {
  private func device(_ id: String) throws -> Device {
    try #require(DeviceCatalog.all.first { $0.id == id })
  }

  @Test("is a context, measured on a T4 and a range elsewhere") func context() throws {
    // 140.875 MiB after a step, PyTorch 2.10 to 2.14.
    let measured = try OutsideAllocator(try device("t4")).high
    #expect(measured.count == 140 * 1_048_576 + 917_504)
    for device in DeviceCatalog.all {
      let parts = try OutsideAllocator(device).parts
      #expect(parts.count == 1)
      for part in parts { #expect(part.low <= part.expected && part.expected <= part.high) }
    }
  }

  @Test("has NCCL's buffers for each communicator") func communicators() throws {
    let device = try device("h100-sxm")
    let one = try OutsideAllocator(device, communicators: 1)
    let three = try OutsideAllocator(device, communicators: 3)
    let alone = try OutsideAllocator(device).high
    let (first, all) = (try one.high.count, try three.high.count)
    #expect(all - alone.count == 3 * (first - alone.count))
    // 688 MiB on four A100s lies within.
    #expect(one.parts[1].low.count < 688 << 20 && one.parts[1].high.count > 688 << 20)
  }

  /// NVIDIA/nccl#964, NVLink between four A100s: 544 MiB for two ranks, 688 for the first of more, which has one end of
  /// each channel more.
  @Test("has buffers of each channel, as measured on A100s") func channels() throws {
    let pair = NCCLBuffers(try device("a100-80gb-sxm"))
    let ring = pair.connections(sends: 1, receives: 1)
    #expect(pair.connections(sends: 1, receives: 2) - ring == (688 - 544) << 20)
    #expect(ring < 544 << 20 && NCCLBuffers.high > 688 << 20)
    // The log of NVIDIA/nccl#1685, on H100s.
    let later = NCCLBuffers(try device("h100-sxm"))
    #expect(later.receiving == 10_485_760 && later.sending == 2_097_152)
  }

  @Test("has a range for each device") func range() throws {
    for device in DeviceCatalog.all where device.kind == .accelerator {
      let buffers = NCCLBuffers(device)
      #expect(buffers.low <= buffers.expected && buffers.expected <= NCCLBuffers.high)
    }
  }
}

@Suite("The verdict of the replayed allocator") struct ReservedMemoryTests {
  private func scenario(layers: Int, device: String) throws -> Scenario {
    try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file here", path: path, fix: "")
    }.read([
      "schema": 1,
      "model": [
        "model_type": "llama", "num_hidden_layers": .integer(layers), "hidden_size": 256,
        "intermediate_size": 512, "num_attention_heads": 4, "vocab_size": 1000,
      ],
      "workload": ["micro_batch_size": 1, "sequence_length": 128],
      "hardware": ["device": .string(device), "devices": 1],
    ])
  }

  @Test("agrees with what the device must offer") func consistency() throws {
    for seed in 0..<100 as Range<UInt64> {
      let report = try Planner.plan(try .random(seed))
      #expect(report.fits == (report.peak.device <= report.capacity), "seed \(seed)")
      #expect(report.peak.reserved < report.peak.device, "seed \(seed)")
      for phase in report.phases {
        #expect(phase.live <= phase.allocated, "seed \(seed)")
        #expect(phase.allocated <= phase.reserved, "seed \(seed)")
      }
    }
  }

  @Test("is a proportion where there are more layers than any model has") func manyLayers() throws {
    let report = try Planner.plan(try scenario(layers: 20_000, device: "h200-sxm"))
    let all = try Planner.plan(try scenario(layers: 1000, device: "h200-sxm"))
    for (many, few) in zip(report.phases, all.phases) {
      let ratio = Double(many.reserved.count) / Double(few.reserved.count)
      #expect(ratio > 19 && ratio < 21)
    }
    #expect(report.assumptions.contains { $0.name == "allocator" && $0.text.contains("layers") })
  }

  @Test("costs nothing where the tensors alone are twice the device") func hopeless() throws {
    var scenario = try scenario(layers: 40, device: "t4")
    scenario.workload.microBatchSize = 4096
    let report = try Planner.plan(scenario)
    #expect(!report.fits)
    #expect(report.allocator == nil)
  }
}
