/// One forward, one backward over several parts of the model on each rank.
///
/// Source: Narayanan et al. 2021, arXiv:2104.04473; `ScheduleInterleaved1F1B` and `_get_1f1b_rank_ops` in
/// `torch/distributed/pipelining/schedules.py`, PyTorch 2.11, whose warm-up of 2(p - r - 1) + (v - 1)g passes is
/// Megatron's `get_pp_rank_microbatches`.
struct Interleaved: PipelineSchedule {
  static let name = "interleaved-1f1b"
  static let summary = "1F1B over several parts of the model on each rank (virtual_stages)."
  static let chunks: Int? = nil
  static let isRuntime = true

  private let rounds: InterleavedRounds

  init(_ shape: PipelineShape) throws(PlanError) { rounds = try InterleavedRounds(shape) }

  func order(_ rank: Int) -> PipelineOrder { rounds.order(rank, hops: 2, delay: nil) }
}

/// Micro-batches in rounds: each part of a rank takes a round before the next part does.
struct InterleavedRounds: Sendable {
  private let shape: PipelineShape
  /// Micro-batches of a round.
  private let round: Int

  init(_ shape: PipelineShape) throws(PlanError) {
    self.shape = shape
    let rounds = max(1, shape.microBatches / shape.degree)
    round = shape.microBatches / rounds
    guard shape.microBatches % rounds == 0 else {
      throw .schedule(
        "\(shape.microBatches) micro-batches do not go evenly into \(rounds) rounds of an interleaved pipeline",
        "Use a multiple of \(shape.degree) accumulation steps, or \"schedule\": \"1f1b\".")
    }
  }

  /// The actions of a rank.
  ///
  /// - Parameters:
  ///   - hops: Forward passes that each rank before the last one runs ahead of the next.
  ///   - delay: Backward passes whose weights' gradients wait, or `nil` where backward is not split.
  func order(_ rank: Int, hops: Int, delay: Int?) -> PipelineOrder {
    let least = round * (2 * shape.degree / max(round, 1) + 4)
    return PipelineOrder(shape.microBatches, period: round, least: least) {
      list(rank, microBatches: $0, hops: hops, delay: delay)
    }
  }

  private func list(_ rank: Int, microBatches: Int, hops: Int, delay: Int?) -> [PipelineAction] {
    let chunks = shape.chunks
    let passes = microBatches * chunks
    let ahead = min(passes, (chunks - 1) * round + hops * (shape.degree - 1 - rank))
    var actions: [PipelineAction] = []
    var waiting: [Int] = []
    func backward(_ pass: Int) {
      let chunk = chunks - 1 - pass / round % chunks
      guard let delay else { return actions.append(PipelineAction(kind: .backward, chunk: chunk)) }
      actions.append(PipelineAction(kind: .inputBackward, chunk: chunk))
      waiting.append(chunk)
      if pass >= delay { weight(waiting.removeFirst()) }
    }
    func weight(_ chunk: Int) {
      actions.append(PipelineAction(kind: .weightBackward, chunk: chunk))
    }
    for pass in 0..<passes {
      actions.append(PipelineAction(kind: .forward, chunk: pass / round % chunks))
      if pass >= ahead { backward(pass - ahead) }
    }
    for pass in passes - ahead..<passes { backward(pass) }
    for chunk in waiting { weight(chunk) }
    return actions
  }
}
