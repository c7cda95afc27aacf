/// When bitsandbytes multiplies with a 4-bit weight in one kernel instead of making it in 16 bits first.
///
/// The thresholds are bitsandbytes' own measurements, one ladder for each architecture; `m` is the number of input
/// rows, `n` that of outputs, `k` that of inputs.
///
/// Source: `_gemm_4bit_use_custom_cuda` in `bitsandbytes/backends/cuda/ops.py`, bitsandbytes 0.50.
struct FourBitKernel {
  private let m: Int
  private let n: Int
  private let k: Int
  private let architecture: Int
  private let multiprocessors: Int

  /// Blocks of 64 outputs.
  private var blocks: Int { n / 64 + (n % 64 == 0 ? 0 : 1) }
  private var isHopper: Bool { architecture / 10 == 9 }
  private var hasWideMemory: Bool { architecture == 80 || isHopper }

  /// Whether a product of `rows` inputs takes the fused kernel.
  static func fuses(
    rows: Int, outputs: Int, inputs: Int, dtype: DType, on kernels: KernelTraits
  ) -> Bool {
    guard rows <= 1536, inputs % 64 == 0 else { return false }
    let kernel = FourBitKernel(
      m: rows, n: outputs, k: inputs, architecture: kernels.computeCapability,
      multiprocessors: max(1, kernels.multiprocessors))
    return kernel.fuses(dtype)
  }

  private func fuses(_ dtype: DType) -> Bool {
    if m <= 4 { return true }
    if dtype == .fp32 || architecture < 75 { return m < 8 }
    if architecture / 10 == 7, dtype != .fp16 { return m < 8 }
    if architecture == 87 || architecture / 10 == 11 { return false }
    if architecture / 10 == 10 { return blackwell }
    if n &* k < 4 << 20 { return k &* 2 < n ? shortInputs : smallWeight }
    if m > 512 { return false }
    if m < 8 { return fewRows }
    switch architecture {
    case 75: return covers(3) ? m <= (k < n ? 128 : 64) : m <= (halfCovered ? 64 : 32)
    case 80: return ampere
    case 86: return m <= (covers(1) ? 128 : halfCovered ? 64 : 16)
    case 90...99: return hopper
    case 120: return consumerBlackwell
    case 121: return covers(1) ? m <= 256 : ada
    default: return ada
    }
  }

  /// Whether the blocks fill all multiprocessors `times` over.
  private func covers(_ times: Int) -> Bool { blocks >= multiprocessors * times }
  private var halfCovered: Bool { blocks >= multiprocessors / 2 }

  private var blackwell: Bool {
    if covers(3) { return m <= 32 }
    return covers(1) && k < n && m <= 8
  }

  /// A weight of less than 4 Mi elements whose inputs are fewer than half its outputs.
  private var shortInputs: Bool {
    if hasWideMemory {
      let low = blocks * 3 < multiprocessors
      return m <= (architecture == 80 ? (low ? 1536 : 512) : (low ? 512 : 320))
    }
    if architecture == 75 {
      return m <= (covers(3) ? 320 : k >= 1024 ? 64 : k >= 704 ? 96 : 320)
    }
    if covers(1) { return m <= 320 }
    return m <= (blocks * k > multiprocessors * 320 ? 192 : 320)
  }

  /// Any other weight of less than 4 Mi elements.
  private var smallWeight: Bool {
    let quarter = blocks * 4 <= multiprocessors
    if architecture == 80, quarter {
      if k >= n { return m <= (blocks * 8 <= multiprocessors ? 32 : 128) }
      return m <= 384
    }
    if architecture == 75, !covers(1), m > 8 { return m <= 64 }
    if quarter { return m <= (k < n || hasWideMemory ? 32 : 23) }
    return blocks * 2 <= multiprocessors && m <= 16
  }

  /// Five to seven rows of a large weight.
  private var fewRows: Bool {
    guard hasWideMemory, m >= 6, blocks >= (isHopper ? 36 : 48) else { return true }
    let threeQuarters = blocks * 4 < multiprocessors * 3
    let threeFifths = blocks * 5 < multiprocessors * 3
    if k > n, threeQuarters { return false }
    guard k == n else { return true }
    return isHopper ? threeFifths || !threeQuarters : !threeFifths
  }

  private var ampere: Bool {
    if covers(3) { return m <= 128 }
    if covers(1) { return m <= (k < n ? 64 : 32) }
    if k >= n * 3, blocks * 4 > multiprocessors { return false }
    if k == n, blocks >= 48, blocks * 5 < multiprocessors * 3 { return false }
    if blocks * 2 < multiprocessors {
      if k <= n { return m <= 128 }
      if blocks * 3 >= multiprocessors { return false }
    }
    return m <= (halfCovered && k < n ? 128 : 16)
  }

  private var hopper: Bool {
    if covers(3) { return m <= 64 }
    if covers(2) { return m <= 48 }
    if covers(1) { return m <= 32 }
    guard halfCovered else { return false }
    return !(k >= n && blocks * 4 < multiprocessors * 3) && m <= 16
  }

  private var consumerBlackwell: Bool {
    if covers(3) { return m <= 256 }
    if covers(2) { return m <= 128 }
    if blocks * 5 >= multiprocessors * 4 { return m <= (k >= n ? 96 : 64) }
    if halfCovered { return m <= (k * 2 >= n && blocks >= 128 ? 64 : 8) }
    return m <= (k > n * 2 && blocks > 64 ? 16 : 8)
  }

  private var ada: Bool {
    let tall = k > n * 2
    if covers(3) { return m <= 256 }
    if covers(2) { return m <= 128 }
    if blocks * 5 >= multiprocessors * 4 {
      if tall || blocks >= 200 { return m <= 128 }
      return m <= (k >= n ? (multiprocessors >= 60 ? 128 : 32) : 64)
    }
    if halfCovered { return m <= (tall ? 64 : blocks >= 64 ? 8 : 32) }
    if k > n, blocks <= 48 { return m <= (k >= n * 3 ? 12 : 10) }
    return m <= (tall || blocks < 48 ? 16 : 8)
  }
}
