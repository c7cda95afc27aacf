import Testing

@testable import Planner

@Suite("A kernel's time") struct RooflineTests {
  /// 100 TFLOPS of which products reach half, 1 TB/s of which kernels reach half, 1 µs for each kernel.
  private var kernels: KernelTraits {
    var kernels = KernelTraits()
    (kernels.rate16, kernels.rate32, kernels.bandwidth) = (100e12, 10e12, 1e12)
    kernels.efficiency.products = 0.5
    kernels.efficiency.attention = 0.4
    kernels.efficiency.attentionBackward = 0.2
    kernels.efficiency.memory = 0.5
    kernels.efficiency.start = 1e-6
    return kernels
  }

  private func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-12 + 1e-9 * abs(b) }

  @Test("is its work at the matrix rate, or its bytes at the bandwidth, whichever is longer")
  func longer() {
    // 10^12 operations at 50 TFLOPS: 20 ms. 10^11 bytes at 500 GB/s: 200 ms.
    let computing = kernels.time(.product, flops: 1_000_000_000_000, bytes: 1_000_000, dtype: .bf16)
    #expect(close(computing.products, 0.020001) && computing.memory == 0)
    let moving = kernels.time(
      .product, flops: 1_000_000_000_000, bytes: 100_000_000_000, dtype: .bf16)
    #expect(close(moving.products, 0.200001))
    let wide = kernels.time(.product, flops: 1_000_000_000_000, bytes: 0, dtype: .fp32)
    #expect(close(wide.products, 0.200001))
  }

  @Test("counts attention at its own rates, backward below forward")
  func attention() {
    let forward = kernels.time(.attention, flops: 400_000_000_000, bytes: 0, dtype: .bf16)
    let backward = kernels.time(
      .attention, flops: 400_000_000_000, bytes: 0, dtype: .bf16, isBackward: true)
    #expect(close(forward.attention, 0.010001) && close(backward.attention, 0.020001))
  }

  /// Calculon's thresholds for an A100: 0.60 of the peak from 1 GFLOP on, 0.90 from 16, 0.95 from 128.
  @Test(
    "lets small products reach less, as Calculon's thresholds have it",
    arguments: [(1, 0.60), (16, 0.90), (128, 0.95)])
  func small(billions: Int, threshold: Double) throws {
    let kernels = try #require(DeviceCatalog.named("a100-80gb-sxm")).kernelTraits
    let flops = billions * 1_000_000_000
    let time = kernels.time(.product, flops: flops, bytes: 0, dtype: .bf16)
    let ofLarge = Double(flops) / 312e12 / time.seconds / kernels.efficiency.products
    #expect(abs(ofLarge - threshold / 0.95) < 0.05, "\(ofLarge)")
  }

  @Test("adds up over repetitions")
  func sums() {
    var total = KernelTime(.memory, seconds: 0.25)
    total.add(KernelTime(.product, seconds: 0.5), times: 4)
    #expect(total.seconds == 2.25 && total.products == 2 && total.kernels == 5)
    #expect((total * 2).seconds == 4.5)
  }
}
