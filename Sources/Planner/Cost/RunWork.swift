/// What a run computes on all devices.
public struct RunWork: Hashable, Sendable {
  /// Every matrix product and attention of every step, recomputation included.
  public var flops: FLOPs
  /// The same without what is computed again.
  public var modelFLOPs: FLOPs
  /// The rule of thumb: 6 × parameters that a token is computed with × tokens.
  ///
  /// Source: Kaplan et al. 2020, arXiv:2001.08361, section 2.1. It leaves attention out, counts embeddings in, and
  /// takes every weight as trained.
  public var sixND: FLOPs

  /// What the exact count without recomputation is of the rule of thumb: 1.04.
  public var overRule: Double {
    sixND.count > 0 ? Double(modelFLOPs.count) / Double(sixND.count) : 0
  }

  init(_ report: Report, _ length: RunLength) throws(PlanError) {
    let devices = report.devices.used
    flops = try report.flops * devices * length.steps
    modelFLOPs = try (report.flops - report.recomputedFLOPs) * devices * length.steps
    let parameters = report.activeParameters ?? report.parameters
    sixND = try FLOPs(6) * parameters * length.tokens
  }
}
