import Testing

@testable import Planner

@Suite("A quantized weight") struct QuantizedWeightTests {
  let weight: TensorSpec
  init() throws { weight = try TensorSpec(11_008, 4096, .bf16) }

  @Test("of 4 bits is half a byte an element and four for each 64")
  func singly() throws {
    let tensors = try FourBitWeight(doublyQuantized: false, format: .bf16).tensors(of: weight)
    #expect(tensors == [22_544_384, 2_818_048, 64])
  }

  @Test("of 4 bits, doubly quantized, takes 0.516 bytes an element and two tables")
  func doubly() throws {
    let storage = FourBitWeight(doublyQuantized: true, format: .bf16)
    #expect(try storage.tensors(of: weight) == [22_544_384, 704_512, 11_008, 4, 1024, 64])
    #expect(storage.shared == [1024])
  }

  @Test("of an odd number of elements rounds every part up") func odd() throws {
    let tensors = try FourBitWeight(doublyQuantized: true, format: .fp16)
      .tensors(of: TensorSpec(3, 5463, .fp16))
    #expect(tensors == [8195, 257, 8, 4, 1024, 64])
  }

  @Test("of 8 bits is a byte an element and four a row") func int8() throws {
    let tensors = try EightBitWeight(format: .bf16).tensors(of: weight)
    #expect(tensors == [45_088_768, 44_032])
  }
}

@Suite("The fused 4-bit kernel") struct FourBitKernelTests {
  /// The most rows that bitsandbytes 0.50 itself lets a product of this device, outputs and inputs take.
  static let limits: [(Int, Int, Int, Int, Int)] = [
    (75, 40, 4096, 4096, 64), (75, 40, 11_008, 4096, 128), (75, 40, 1024, 4096, 32),
    (75, 40, 8192, 1024, 128), (80, 108, 4096, 4096, 5), (80, 108, 11_008, 4096, 64),
    (80, 108, 1024, 4096, 16), (80, 108, 28_672, 8192, 128), (86, 82, 4096, 4096, 64),
    (86, 82, 256, 2048, 23), (89, 128, 4096, 4096, 8), (89, 128, 1024, 4096, 12),
    (89, 128, 28_672, 8192, 256), (90, 132, 4096, 4096, 7), (90, 132, 11_008, 4096, 32),
    (90, 132, 4096, 11_008, 5), (90, 132, 28_672, 8192, 64), (100, 148, 4096, 4096, 4),
    (100, 148, 28_672, 8192, 32), (120, 170, 11_008, 4096, 64), (121, 48, 4096, 4096, 256),
  ]

  @Test("takes products of few rows", arguments: limits)
  func rows(_ capability: Int, _ multiprocessors: Int, _ outputs: Int, _ inputs: Int, _ most: Int) {
    var kernels = KernelTraits()
    kernels.computeCapability = capability
    kernels.multiprocessors = multiprocessors
    for rows in 1...2000 {
      let fuses = FourBitKernel.fuses(
        rows: rows, outputs: outputs, inputs: inputs, dtype: .fp16, on: kernels)
      #expect(fuses == (rows <= most), "\(rows) rows")
    }
  }

  @Test("never takes inputs that are not whole blocks, nor fp32 beyond 7 rows") func never() {
    let kernels = KernelTraits()
    #expect(
      !FourBitKernel.fuses(rows: 1, outputs: 4096, inputs: 4000, dtype: .bf16, on: kernels))
    #expect(FourBitKernel.fuses(rows: 7, outputs: 4096, inputs: 4096, dtype: .fp32, on: kernels))
    #expect(!FourBitKernel.fuses(rows: 8, outputs: 4096, inputs: 4096, dtype: .fp32, on: kernels))
  }
}
