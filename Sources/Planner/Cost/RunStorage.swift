/// What a run stores, and what it moves to and from its storage.
public struct RunStorage: Hashable, Sendable {
  /// The dataset as token ids.
  public var dataset: Bytes
  /// One checkpoint.
  public var checkpoint: CheckpointSize
  /// Checkpoints that are kept.
  public var kept: Int
  /// Checkpoints that are written.
  public var written: Int
  /// One line of metrics for each step.
  public var logs: Bytes
  /// Everything that lies on the disk when the run is over: dataset, the model it started from, checkpoints, logs.
  public var total: Bytes
  /// Bytes that are read: the model by every node, the dataset as often as it is gone through.
  public var read: Bytes
  /// Bytes that are written: checkpoints and logs.
  public var sent: Bytes
  /// Bytes that all devices send each other; none where there is one.
  public var exchanged: Double

  /// A step's entry of `log_history` in transformers' `trainer_state.json`, with loss, gradient norm and learning rate.
  ///
  /// Source: `TrainerState.save_to_json`, transformers 5.17: JSON with an indentation of two.
  static let bytesPerLogEntry = 150

  init(
    _ scenario: Scenario, _ settings: RunSettings, _ length: RunLength, nodes: Int,
    _ report: Report
  ) throws(PlanError) {
    func bytes(of tokens: Int) throws(PlanError) -> Bytes {
      let amount = (Double(tokens) * settings.bytesPerToken).rounded(.up)
      guard let count = Int(exactly: amount) else { throw .overflow("bytes", "the dataset") }
      return Bytes(count)
    }
    dataset = try bytes(of: length.datasetTokens)
    checkpoint = try CheckpointSize(scenario, savesOptimizer: settings.savesOptimizer)
    kept = settings.checkpointsKept
    written = settings.checkpointEvery.map { max(1, length.steps / $0) } ?? kept
    logs = try Bytes(Self.bytesPerLogEntry) * length.steps
    let one = try checkpoint.total
    total = try dataset + checkpoint.model + one * min(kept, written) + logs
    read = try checkpoint.model * nodes + bytes(of: length.tokens)
    sent = try one * written + logs
    exchanged =
      (report.communication?.total ?? 0) * Double(report.devices.used) * Double(length.steps)
  }
}
