/// What a piece of memory is for.
public enum Role: UInt8, Hashable, Sendable, CaseIterable {
  /// Weights, trainable or frozen.
  case parameters
  /// Gradients of weights, from the moment autograd makes them.
  case gradients
  /// What the optimizer keeps between steps, and what its step makes.
  case optimizerState
  /// Saved tensors, intermediate results and their gradients.
  case activations
  /// Buffers of collectives.
  case communication
  /// What libraries and kernels take: cuBLAS, reductions, attention backward.
  case workspace
  /// Token ids, labels, rotary tables, the loss.
  case other

  /// The key in the JSON report.
  public var key: String {
    switch self {
    case .parameters: "parameters"
    case .gradients: "gradients"
    case .optimizerState: "optimizer_state"
    case .activations: "activations"
    case .communication: "communication"
    case .workspace: "workspace"
    case .other: "other"
    }
  }
}

/// A part of the training step.
public enum Phase: UInt8, Hashable, Sendable, CaseIterable {
  /// From the batch to the loss.
  case forward
  /// From the loss to the gradients, recomputation included.
  case backward
  /// Clipping and the optimizer's step.
  case optimizer

  /// The key in the JSON report.
  public var key: String {
    switch self {
    case .forward: "forward"
    case .backward: "backward"
    case .optimizer: "optimizer"
    }
  }
}
