/// Muon for matrices, AdamW for what is not: embeddings, head and vectors.
///
/// A matrix has one momentum buffer in its own format. Its step orthogonalizes the update by Newton–Schulz
/// iterations in bf16, matrix after matrix. Which weights are matrices of the layers is taken from their place.
///
/// Source: `_zeropower_via_newtonschulz` and `_single_tensor_muon` in `torch/optim/_muon.py`, PyTorch 2.11.
public struct Muon: Optimizer {
  /// See ``Optimizer/name``.
  public static let name = "muon"
  /// See ``Optimizer/summary``.
  public static let summary =
    "Muon for the layers' matrices, one state each; AdamW for all other weights."
  /// How its AdamW part runs.
  public var implementation: OptimizerImplementation { rest.implementation }
  private let rest: AdamW

  /// See ``Optimizer/keys``.
  public static let keys = AdamW.keys

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) { rest = try AdamW(&settings) }

  /// See ``Optimizer/label``.
  public var label: String { "Muon, with AdamW (\(implementation.rawValue)) beside it" }

  /// Never fewer than what a matrix has; vectors have AdamW's states.
  public func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] {
    parameter.rows > 1 ? [parameter] : try rest.states(of: parameter)
  }

  /// Five iterations in bf16, each `X Xᵀ`, its square, and a product with `X`.
  public func flops(for parameter: TensorSpec) -> Double {
    guard parameter.rows > 1 else { return 0 }
    let short = Double(min(parameter.rows, parameter.columns))
    let long = Double(max(parameter.rows, parameter.columns))
    return 5 * (4 * short * short * long + 2 * short * short * short)
  }

  /// What the planner takes for granted about it.
  public var assumptions: [Assumption] {
    [
      Assumption(
        "muon_matrices", "every matrix, embeddings and head too, is trained by Muon",
        source: "torch.optim.Muon takes any 2-D parameter")
    ]
  }

  /// For each matrix in turn: the Nesterov update, its copy in bf16, the Gram matrix, its square, and the next iterate.
  public func step(_ step: inout OptimizerStep) throws(PlanError) {
    for weight in step.weights where weight.spec.rows > 1 {
      let (rows, columns) = (weight.spec.rows, weight.spec.columns)
      let side = min(rows, columns)
      let gram = try TensorSpec(side, side, .bf16).bytes
      let copy = weight.spec.cast(to: .bf16).bytes
      let parts = [weight.spec.bytes, copy, copy, gram, gram]
      for part in parts { step.allocate(part) }
      for part in parts { step.free(part) }
    }
    var others = step
    others.keep { $0.spec.rows == 1 }
    try rest.step(&others)
    step.schedule = others.schedule
  }
}
