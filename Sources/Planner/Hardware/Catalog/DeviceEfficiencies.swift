/// What devices reach of their data sheets, one entry for each kind of chip.
///
/// The share of the matrix rate is what the layers' own products reach over hours of training: below the largest
/// matrix product that anyone achieved (ml-engineering's MAMF: 0.87 of the peak on an A100 SXM, 0.80 on an H100, 0.78
/// on a B200), because layers have other shapes than the best one and chips lower their clocks under sustained load.
///
/// Measured shares of products were set so that the median error of the runs that the table of published throughput
/// marks "calibration" is zero, one number for all of a chip's runs; estimated ones are judgements. Attention is
/// SimuMax's measurement, memory the middle of the 0.7 to 0.9 that SimuMax, Calculon and Galvatron take. The range of
/// a measured chip holds four of five published runs. `Documentation/Time.md` has the table.
enum DeviceEfficiencies {
  /// The entry for a device.
  static func of(_ device: Device) -> Efficiency {
    if device.kind == .processor { return processor }
    switch (device.id, device.computeCapability) {
    case ("rtx-4090", _): return geForce4090
    case ("rtx-3090", _): return geForce3090
    case (_, ..<75): return volta
    case (_, 75): return turing
    case (_, 80): return ampere
    case (_, 90): return hopper
    case (_, 100..<110): return blackwell
    case (let id, _) where isGeForce(id): return geForce
    default: return workstation
    }
  }

  private static func isGeForce(_ id: String) -> Bool {
    ["rtx-30", "rtx-40", "rtx-50"].contains { id.hasPrefix($0) }
  }

  private static let ampere = entry(
    .measured, 0.69, attention: (0.48, 0.42),
    range: 0.92...1.3,
    "llm-foundry's MPT on A100, 14 runs; SimuMax, A100 PCIe: 183 products at 0.705 in the mean, attention at 0.48 and "
      + "0.42")
  private static let hopper = entry(
    .measured, 0.51, attention: (0.355, 0.345), range: 0.92...1.3,
    "llm-foundry's MPT on H100, 5 runs; attention as SimuMax measured it on a B200")
  private static let geForce4090 = entry(
    .measured, 0.82, range: 0.7...1.4,
    "torchtune, Llama 2 7B and Llama 3 8B on one RTX 4090: 2 runs, 0.74 and 0.92")
  private static let geForce3090 = entry(
    .measured, 0.92, range: 0.7...1.4,
    "answer.ai, Llama 2 7B under LoRA and DDP on two RTX 3090: 1 run")
  private static let volta = entry(
    .estimated, 0.60, "a judgement: between BigScience's 0.39 with all kernels and A100's products")
  private static let turing = entry(
    .estimated, 0.40, "a judgement: a T4 lowers its clocks at 70 W")
  private static let geForce = entry(
    .estimated, 0.75,
    "a judgement: GeForce RTX 3090 and 4090 reach 0.82 to 0.92, above whose rated clocks they run")
  private static let workstation = entry(
    .estimated, 0.60, "a judgement: cards of 72 to 350 W, held back by their power limit")
  private static let blackwell = entry(
    .estimated, 0.49, attention: (0.355, 0.345), memory: 0.67,
    "SimuMax, B200: 514 products at 0.49 in the mean, attention, memory at 0.67 of 8 TB/s; no training run"
  )
  private static let processor = entry(
    .estimated, 0.30, memory: 0.6, "a judgement: AMX at 0.25 to 0.35 of its peak")

  /// Without measurements, attention in A100's proportion to products.
  private static func entry(
    _ basis: Efficiency.Basis, _ products: Double,
    attention: (forward: Double, backward: Double)? = nil, memory: Double = 0.8,
    range: ClosedRange<Double> = 0.75...1.6, _ source: String
  ) -> Efficiency {
    var kernels = KernelEfficiency()
    kernels.products = products
    kernels.attention = attention?.forward ?? products * 0.48 / 0.69
    kernels.attentionBackward = attention?.backward ?? products * 0.42 / 0.69
    kernels.memory = memory
    return Efficiency(kernels: kernels, basis: basis, range: range, source: source)
  }
}

extension Device {
  /// What it reaches of its data sheet.
  public var efficiency: Efficiency { DeviceEfficiencies.of(self) }
}
