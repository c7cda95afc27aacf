/// The parts of a rotary decoder that a set of kernels may replace.
///
/// A new set is one file here with its type, one case of ``KernelSet`` and one line in ``ForwardContext/layerKernels``.
protocol LayerKernels: Sendable {
  /// The families that the set covers, by `model_type`; `nil` for all.
  var families: [String]? { get }
  /// The loss that comes with the set, whatever the scenario's loss; `nil` if it has none.
  var loss: (any CausalLoss)? { get }
  /// Runs a root-mean-square norm.
  func norm(_ x: Value, _ norm: RMSNorm, in f: inout Forward) throws(PlanError) -> Value
  /// Rotates queries and keys.
  ///
  /// - Parameter layout: How the gradients of the rotated ones lie in memory.
  func rotate(
    _ q: Value, _ k: Value, _ tables: RotaryTables, layout: GradientLayout, in f: inout Forward
  ) throws(PlanError) -> (Value, Value)
  /// Runs `activation(gate(x)) * up(x)`.
  func gate(_ x: Value, _ mlp: GatedMLP, in f: inout Forward) throws(PlanError) -> Value
}

/// The cosines and sines of a forward pass, and how a family applies them.
struct RotaryTables: Sendable {
  let cos: Value
  let sin: Value
  let form: RotaryEmbedding.Form
}

/// Whether attention's gradients arrive in another layout than the projections' results, so that they are copied.
struct GradientLayout: Sendable {
  let copiesQuery: Bool
  let copiesKey: Bool
}

extension KernelSet {
  /// The code of this set.
  var layers: any LayerKernels {
    switch self {
    case .torch: TorchKernels()
    case .liger: LigerKernels()
    }
  }
}
