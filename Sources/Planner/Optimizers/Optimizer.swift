/// An optimizer: what it keeps for each parameter, and what its step allocates.
///
/// A new one is a file in this folder and a line in ``Optimizers/all``.
public protocol Optimizer: Sendable {
  /// The `name` in a scenario.
  static var name: String { get }
  /// One sentence for `plan show optimizers`.
  static var summary: String { get }
  /// Reads its settings, `name` excepted; whoever calls it calls ``Settings/finish()`` afterwards.
  init(_ settings: inout Settings) throws(PlanError)
  /// The optimizer with its settings in a few words: `AdamW (foreach)`.
  var label: String { get }
}

/// How a PyTorch optimizer runs over its parameters.
public enum OptimizerImplementation: String, Hashable, Sendable, CaseIterable {
  /// All tensors of a group in one kernel launch per operation; PyTorch's default on CUDA.
  case foreach
  /// One tensor after the other.
  case forLoop = "for-loop"
  /// One kernel for the whole update.
  case fused
}

/// The list of optimizers.
public enum Optimizers {
  /// Every optimizer, one line each.
  public static let all: [any Optimizer.Type] = [AdamW.self]

  /// The optimizer of this name, or `nil`.
  public static func named(_ name: String) -> (any Optimizer.Type)? {
    for optimizer in all where optimizer.name == name { return optimizer }
    return nil
  }
}
