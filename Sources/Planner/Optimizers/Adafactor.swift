/// Adafactor (`torch.optim.Adafactor`): a row and a column of second moments for each matrix.
///
/// Source: `_multi_tensor_adafactor`, `_single_tensor_adafactor` in `torch/optim/_adafactor.py`, PyTorch 2.11.
public struct Adafactor: Optimizer {
  /// See ``Optimizer/name``.
  public static let name = "adafactor"
  /// See ``Optimizer/summary``.
  public static let summary = "Adafactor: a row and a column of second moments per matrix."
  /// How it runs over its parameters.
  public let implementation: OptimizerImplementation

  /// See ``Optimizer/keys``.
  public static let keys = [
    SettingKey(
      "implementation", .choice(of: OptimizerImplementation.self), default: "foreach",
      "many tensors together, or a loop; there is no fused one")
  ]

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    let choice: OptimizerImplementation = try settings.choice("implementation")
    guard choice != .fused else {
      throw PlanError(
        .invalid, "PyTorch has no fused Adafactor", path: settings.place("implementation"),
        fix: "Use \"foreach\" or \"for-loop\".")
    }
    implementation = choice
  }

  /// See ``Optimizer/label``.
  public var label: String { "Adafactor (\(implementation.rawValue))" }

  /// One value per row and one per column in the parameter's format; vectors keep a full second moment.
  public func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] {
    guard parameter.rows > 1 else { return [parameter] }
    return [parameter.perRow, try TensorSpec(1, parameter.columns, parameter.dtype)]
  }

  /// `foreach` makes the estimates of all matrices, and those of the vectors while these are still bound;
  /// `for-loop` makes an estimate for each parameter while the one before it is still bound.
  ///
  /// The means over the rows of a gradient are column reductions with a workspace.
  public func step(_ step: inout OptimizerStep) throws(PlanError) {
    switch implementation {
    case .foreach, .fused: together(&step)
    case .forLoop: oneByOne(&step)
    }
  }

  private func together(_ step: inout OptimizerStep) {
    let matrices = step.weights.filter { $0.spec.rows > 1 }
    let vectors = step.weights.filter { $0.spec.rows <= 1 }
    for weight in matrices { step.allocate(weight.spec.perRow.bytes, count: weight.count) }
    for weight in matrices { step.free(weight.spec.perRow.bytes, count: weight.count) }
    for weight in matrices {
      step.allocate(columnBytes(weight.spec), count: weight.count)
      step.passing(columnWorkspace(weight.spec, step))
    }
    for weight in matrices { step.free(columnBytes(weight.spec), count: weight.count) }
    for weight in matrices { step.allocate(weight.spec.bytes, count: weight.count) }
    for weight in matrices { step.allocate(weight.spec.dtype.size, count: weight.count) }
    for weight in matrices { step.free(weight.spec.dtype.size, count: weight.count) }
    for weight in vectors { step.allocate(weight.spec.bytes, count: weight.count) }
    for weight in step.weights { step.free(weight.spec.bytes, count: weight.count) }
  }

  private func oneByOne(_ step: inout OptimizerStep) {
    // What the loop's names are bound to: the row means, the column means, a vector's square, the estimate.
    var (row, column, square, estimate) = (0, 0, 0, 0)
    step.forEach { step, weight, _ in
      let spec = weight.spec
      step.passing(spec.dtype.size + TotalNorm.workspace(elements: spec.elements, on: step.kernels))
      if spec.rows > 1 {
        step.rebind(&row, to: spec.perRow.bytes)
        step.allocate(columnBytes(spec))
        step.passing(columnWorkspace(spec, step))
        step.free(column)
        column = columnBytes(spec)
      } else {
        step.rebind(&square, to: spec.bytes)
      }
      step.rebind(&estimate, to: spec.bytes)
      step.passing(spec.dtype.size + TotalNorm.workspace(elements: spec.elements, on: step.kernels))
    }
    for bytes in [row, column, square, estimate] { step.free(bytes) }
  }

  private func columnBytes(_ spec: TensorSpec) -> Int { spec.columns &* spec.dtype.size }

  private func columnWorkspace(_ spec: TensorSpec, _ step: OptimizerStep) -> Int {
    ColumnSum.workspace(rows: spec.rows, columns: spec.columns, on: step.kernels)
  }
}
