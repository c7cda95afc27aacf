/// One pass of one micro-batch through one of the parts that a rank of a pipeline has.
struct PipelineAction: Hashable, Sendable {
  enum Kind: UInt8, Sendable {
    /// The forward pass.
    case forward
    /// The whole backward pass.
    case backward
    /// The gradients of activations alone, down to the part's input.
    case inputBackward
    /// The gradients of weights, behind ``inputBackward``.
    case weightBackward
  }

  var kind: Kind
  /// Which of the rank's parts, counted from 0.
  var chunk = 0
}

/// What a rank of a pipeline does in one step, in order, with repetitions.
///
/// Each kind of action of a chunk takes the micro-batches in their order.
struct PipelineOrder: Hashable, Sendable {
  /// `count` repetitions of some actions.
  struct Piece: Hashable, Sendable {
    var actions: [PipelineAction]
    var count = 1
  }

  private(set) var pieces: [Piece] = []

  /// Adds actions `count` times.
  mutating func add(_ actions: [PipelineAction], _ count: Int = 1) {
    guard count > 0, !actions.isEmpty else { return }
    if let last = pieces.last, last.actions == actions {
      pieces[pieces.count - 1].count += count
    } else {
      pieces.append(Piece(actions: actions, count: count))
    }
  }

  /// The order of a list, with equal neighbours as repetitions.
  init(_ actions: [PipelineAction] = []) {
    for action in actions { add([action]) }
  }

  /// Every action on its own.
  var unfolded: [PipelineAction] {
    pieces.flatMap { piece in (0..<piece.count).flatMap { _ in piece.actions } }
  }

  /// The most forward passes of each chunk that wait for their backward, all chunks taken together.
  ///
  /// A pass waits until its weights have their gradients.
  var mostInFlight: Int {
    var (now, most) = (0, 0)
    for piece in pieces {
      var (net, top) = (0, 0)
      for action in piece.actions {
        switch action.kind {
        case .forward: net += 1
        case .backward, .weightBackward: net -= 1
        case .inputBackward: break
        }
        top = max(top, net)
      }
      most = max(most, now + top + max(0, (piece.count - 1) * net))
      now += piece.count * net
    }
    return most
  }
}
