/// The frozen weights that adapters lie beside, quantized as bitsandbytes does it.
public struct BaseQuantization: Hashable, Sendable {
  /// How an element is kept.
  public enum Format: String, Hashable, Sendable, CaseIterable {
    /// 4 bits, values at the quantiles of a normal distribution.
    case nf4
    /// 4 bits, floating-point values.
    case fp4
    /// 8-bit integers.
    case int8
  }

  /// How an element is kept.
  public let format: Format
  /// Whether 4-bit weights quantize their scales too.
  public let doublyQuantized: Bool

  /// A format; `doublyQuantized` means nothing for ``Format/int8``.
  public init(_ format: Format, doublyQuantized: Bool = true) {
    self.format = format
    self.doublyQuantized = doublyQuantized
  }

  /// What it reads among the settings of LoRA.
  static let keys = [
    SettingKey(
      "base_quantization", .choice(of: Format.self), otherwise: "none",
      "format of the frozen weights under the adapters (bitsandbytes)"),
    SettingKey(
      "double_quantization", .truth, default: true, "scales of 4-bit weights quantized as well",
      with: .key("base_quantization", "nf4", "fp4")),
  ]

  /// Reads `base_quantization` and `double_quantization`; `nil` where the base is not quantized.
  ///
  /// - Throws: ``PlanError/Kind/conflict`` where `double_quantization` says something about weights without it.
  init?(_ settings: inout Settings) throws(PlanError) {
    let doubly = try settings.optionalBool("double_quantization")
    guard settings.value("base_quantization") != nil else {
      if doubly == true { throw .noScales("no base_quantization", in: settings) }
      return nil
    }
    format = try settings.choice("base_quantization")
    if format == .int8, doubly == true {
      throw .noScales("base_quantization int8", in: settings)
    }
    doublyQuantized = format != .int8 && doubly ?? true
  }

  /// The weights of a model that computes in `format`, with activations in `activations`.
  func weight(computing dtype: DType, activations: DType) -> any QuantizedWeight {
    switch format {
    case .nf4, .fp4: FourBitWeight(doublyQuantized: doublyQuantized, format: dtype)
    case .int8: EightBitWeight(format: activations)
    }
  }

  /// What a plan with such weights takes for granted.
  func assumptions(computing dtype: DType) -> [Assumption] {
    let format =
      switch format {
      case .nf4, .fp4:
        Assumption(
          "quantized_products",
          "4-bit weights multiply in \(dtype.rawValue), the format that they were loaded in",
          source: "bnb_4bit_compute_dtype as QLoRA sets it")
      case .int8:
        Assumption(
          "int8_outliers", "no outlier columns in int8 products, whose number depends on the data",
          source: "bitsandbytes with llm_int8_threshold 0")
      }
    return [
      format,
      Assumption(
        "quantized_loading",
        "weights are quantized one by one while they load: what is then on the device is given as \"loading\", "
          + "and the verdict counts it",
        source: "transformers 5.17, core_model_loading.py"),
    ]
  }

  /// The setting in a few words: `over nf4 weights`.
  var label: String { "over \(format.rawValue) weights" }
}

extension PlanError {
  fileprivate static func noScales(_ what: String, in settings: Settings) -> Self {
    Self(
      .conflict, "double_quantization is true with \(what)",
      path: settings.place("double_quantization"),
      fix: "Leave it out, or set \"base_quantization\" to \"nf4\" or \"fp4\".")
  }
}
