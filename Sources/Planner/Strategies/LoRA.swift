/// Low-rank adapters beside frozen projections, as PEFT makes them.
///
/// The model's own weights are frozen, so projections without an adapter save nothing for a weight gradient.
/// With fp32 adapters each adapted projection casts its input to fp32 and keeps that copy. The frozen weights may be
/// quantized (QLoRA: Dettmers et al. 2023, arXiv:2305.14314).
///
/// Source: Hu et al. 2021, arXiv:2106.09685; `forward` of `Linear` in `peft/tuners/lora/layer.py`, of `Linear4bit`
/// and `Linear8bitLt` in `peft/tuners/lora/bnb.py`, PEFT 0.21.
public struct LoRA: Strategy {
  /// See ``Strategy/name``.
  public static let name = "lora"
  /// See ``Strategy/summary``.
  public static let summary =
    "Trains low-rank matrices beside frozen projections, as PEFT does (LoRA)."
  /// See ``Strategy/stage``.
  public static let stage = Stage.partition
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.trainable]
  /// See ``Strategy/keys``.
  public static let keys: [SettingKey] =
    [
      SettingKey("rank", .integer(1...65_536), default: 8, "columns of the low-rank matrices"),
      SettingKey(
        "target_modules", .texts, default: ["q_proj", "v_proj"],
        "projections with adapters, or [\"all-linear\"]"),
      SettingKey(
        "adapter_precision", .choice(of: AdapterPrecision.self), default: "fp32",
        "format of the adapters; base is that of the weights"),
      SettingKey("dropout", .number(0...0.999), default: 0, "dropout ahead of the adapters"),
      SettingKey(
        "alpha", .number(0...1e9), otherwise: "PEFT's", "scale of the adapters; changes no memory"),
      SettingKey(
        "use_dora", .truth, default: false, "DoRA: the weight's direction and magnitude apart"),
      SettingKey(
        "use_rslora", .truth, default: false, "scale by the root of the rank; changes no memory"),
    ] + BaseQuantization.keys + [
      SettingKey(
        "prepare_for_kbit_training", .truth, default: false,
        "casts 16-bit weights that are not quantized to fp32, as PEFT's function does")
    ]

  /// The format of adapter weights.
  public enum AdapterPrecision: String, Hashable, Sendable, CaseIterable {
    /// fp32, PEFT's default (`autocast_adapter_dtype`).
    case fp32
    /// The format of the frozen weights.
    case base
  }

  /// Columns of the down-projection.
  public let rank: Int
  /// Names of adapted projections: `q_proj`; or `all-linear` alone, for all but the head.
  public let targetModules: [String]
  /// The format of adapter weights.
  public let adapterPrecision: AdapterPrecision
  /// The probability that an adapter's input is dropped.
  public let dropout: Double
  /// How the frozen projections are quantized, or `nil` for plain weights.
  public let baseQuantization: BaseQuantization?
  /// Whether what is not quantized is cast to fp32 (`prepare_model_for_kbit_training`): embeddings, head and norms,
  /// and with them the residual stream and the logits.
  public let preparesForKbitTraining: Bool
  /// Whether adapters train the norms of the adapted weight's rows as well (DoRA).
  public let decomposesWeight: Bool

  /// Adapters of one rank on the named projections.
  public init(
    rank: Int, targetModules: [String], adapterPrecision: AdapterPrecision = .fp32,
    dropout: Double = 0, baseQuantization: BaseQuantization? = nil,
    preparesForKbitTraining: Bool = false, decomposesWeight: Bool = false
  ) {
    self.rank = rank
    self.targetModules = targetModules
    self.adapterPrecision = adapterPrecision
    self.dropout = dropout
    self.baseQuantization = baseQuantization
    self.preparesForKbitTraining = preparesForKbitTraining
    self.decomposesWeight = decomposesWeight
  }

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    rank = try settings.integer("rank")
    targetModules = try settings.optionalStrings("target_modules") ?? ["q_proj", "v_proj"]
    adapterPrecision = try settings.choice("adapter_precision")
    dropout = try settings.number("dropout")
    _ = try settings.optionalNumber("alpha")
    guard !targetModules.isEmpty else {
      throw PlanError(
        .invalid, "no target module", path: settings.place("target_modules"),
        fix: "Name at least one projection, such as \"q_proj\", or \"all-linear\".")
    }
    baseQuantization = try BaseQuantization(&settings)
    preparesForKbitTraining = try settings.bool("prepare_for_kbit_training")
    decomposesWeight = try settings.bool("use_dora")
    _ = try settings.bool("use_rslora")
  }

  /// See ``Strategy/label``.
  public var label: String {
    let base = baseQuantization.map { " " + $0.label } ?? ""
    let technique = decomposesWeight ? "DoRA" : "LoRA"
    return "\(technique) rank \(rank) on \(targetModules.joined(separator: ", "))" + base
  }

  /// Writes the decisions into the plan.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    plan.context.trainsBase = false
    plan.context.adapter = Adapter(settings: self)
    let computing = plan.context.autocast ?? plan.context.dtype
    if preparesForKbitTraining {
      plan.context.bufferFormat = plan.context.dtype
      plan.context.dtype = .fp32
    }
    plan.context.quantization = baseQuantization?.weight(
      computing: computing, activations: plan.context.dtype)
    plan.assumptions += baseQuantization?.assumptions(computing: computing) ?? []
    plan.adaptedModules = targetModules
  }

  /// Puts the adapters beside the projections and runs them.
  private struct Adapter: LinearAdapter {
    let settings: LoRA

    /// Beside a matrix whose outputs are cut the up-projection is cut too, beside one whose inputs are the other.
    ///
    /// Source: `add_lora_tp_hooks_dtensor` in `peft/tuners/lora/model.py`, PEFT 0.21.
    func adapter(
      for module: StaticString, input: Int, output: Int, cut: Linear.Cut, in f: inout Forward
    ) throws(PlanError) -> AdapterWeights? {
      let name = module.description
      guard settings.targetModules.contains(name) || settings.targetModules == ["all-linear"] else {
        return nil
      }
      if cut == .gatheredColumns || cut == .splitRows {
        throw PlanError(
          .conflict, "PEFT has no adapters for \(name), whose outputs or inputs devices gather",
          path: "strategies.lora.target_modules",
          fix: "Name other projections, or leave \"tensor_parallel\" out.")
      }
      let base =
        f.context.quantization?.adapterFormat ?? f.context.storedFormat ?? f.context.dtype
      let isWide = settings.adapterPrecision == .fp32 && !f.context.castsAdapters
      let dtype: DType = isWide ? .fp32 : f.context.castsAdapters ? f.context.dtype : base
      func whole(_ width: Int, _ isCut: Bool) throws(PlanError) -> Int? {
        isCut ? try checkedProduct(width, settings.rank, f.context.mesh.tensor) : nil
      }
      var weights = AdapterWeights(
        down: try f.parameter(
          "lora_A.weight", settings.rank, input, leading: settings.rank, dtype: dtype,
          trainable: true, whole: try whole(input, cut == .rows)),
        up: try f.parameter(
          "lora_B.weight", output, settings.rank, leading: output, dtype: dtype, trainable: true,
          whole: try whole(output, cut == .columns)))
      if settings.decomposesWeight {
        weights.magnitude = try f.parameter(
          "lora_magnitude_vector.weight", 1, output, dtype: dtype, trainable: true)
      }
      return weights
    }

    /// `base(x) + lora_B(lora_A(dropout(x.to(adapter)))) * scaling` in the base's format.
    ///
    /// Beside a plain weight the sum is cast back; beside a quantized one the adapter's share is, ahead of the sum.
    func project(_ x: Value, through linear: Linear, in f: inout Forward) throws(PlanError) -> Value
    {
      guard let adapter = linear.adapter else {
        return try f.product(x, linear)
      }
      f.enter(linear.module, holding: x)
      var result = f.local(try f.projectAlone(x, linear))
      let dtype = result.spec.dtype
      if linear.quantization?.clonesResult == true {
        result = f.local(f.clone(result), replacing: result)
      }
      // Beside a quantized weight autocast is left its own casts.
      let converts = linear.quantization == nil || f.context.autocast == nil
      let wide = converts ? f.local(f.cast(x, to: adapter.down.value.spec.dtype)) : x
      result = f.local(
        try adapted(result, wide, linear, adapter, in: &f), replacing: result)
      if converts { result = f.local(f.cast(result, to: dtype), replacing: result) }
      return f.leave(result)
    }

    /// The projection's result with the adapter's share of `x`.
    private func adapted(
      _ result: Value, _ x: Value, _ linear: Linear, _ adapter: AdapterWeights, in f: inout Forward
    ) throws(PlanError) -> Value {
      if let magnitude = adapter.magnitude {
        let decomposition = WeightDecomposition(
          linear: linear, adapter: adapter, magnitude: magnitude)
        return try decomposition(x, result, dropout: settings.dropout > 0, in: &f)
      }
      let share = try delta(x, adapter, cut: linear.cut, in: &f)
      guard linear.quantization != nil else { return try f.add(result, share) }
      let output = f.local(share)
      guard f.context.autocast == nil else { return try f.add(result, output) }
      let narrow = f.local(f.cast(output, to: result.spec.dtype), replacing: output)
      return try f.add(result, narrow)
    }

    /// `lora_B(lora_A(dropout(x))) * scaling`.
    private func delta(
      _ x: Value, _ adapter: AdapterWeights, cut: Linear.Cut, in f: inout Forward
    ) throws(PlanError) -> Value {
      let dropped = settings.dropout > 0 ? f.dropout(x) : x
      f.enter("lora_A", holding: dropped)
      let part = try f.product(dropped, adapter.down)
      let down = f.leave(cut == .rows ? f.allReduced(part) : part)
      f.enter("lora_B", holding: down)
      let input = cut == .columns ? f.replicated(down) : down
      return f.scale(f.leave(try f.product(input, adapter.up)))
    }
  }
}
