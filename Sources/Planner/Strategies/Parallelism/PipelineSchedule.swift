/// In which order the ranks of a pipeline run their micro-batches forward and backward.
///
/// How to write one: a file in `Schedules/` with a type that conforms, and a line in ``PipelineSchedules/all``.
protocol PipelineSchedule: Sendable {
  /// The value of `schedule` in a scenario.
  static var name: String { get }
  /// One sentence.
  static var summary: String { get }
  /// Parts of the model on each rank, or `nil` where `virtual_stages` says so.
  static var chunks: Int? { get }
  /// Where the parts of the model lie.
  static var placement: PipelinePlacement { get }
  /// Whether the gradients of weights are computed apart from those of activations.
  static var splitsBackward: Bool { get }
  /// Whether its actions run one by one in a function of their own (torch's `_PipelineScheduleRuntime`).
  static var isRuntime: Bool { get }
  /// The schedule of a pipeline; throws what the frameworks refuse.
  init(_ shape: PipelineShape) throws(PlanError)
  /// What one rank does in a step.
  func order(_ rank: Int) -> PipelineOrder
}

/// What most schedules have: one part of the model on each rank, one after the other, and whole backwards.
extension PipelineSchedule {
  static var chunks: Int? { 1 }
  static var placement: PipelinePlacement { .loop }
  static var splitsBackward: Bool { false }
  static var isRuntime: Bool { false }
}

/// The sizes of a pipeline.
struct PipelineShape: Hashable, Sendable {
  /// Ranks.
  var degree: Int
  /// Parts of the model on each rank.
  var chunks: Int
  /// Micro-batches of a step.
  var microBatches: Int
}

/// Which rank has which part of the model.
enum PipelinePlacement: Hashable, Sendable {
  /// Part s is on rank s mod p.
  case loop
  /// Two parts on each rank, r and 2p - 1 - r.
  case v
  /// The model twice, once in each direction: rank r has parts r and p - 1 - r of p.
  case bothWays
}

/// The list of schedules.
enum PipelineSchedules {
  /// Every schedule, one line each; the first is the default.
  static let all: [any PipelineSchedule.Type] = [
    OneForwardOneBackward.self,
    GPipe.self,
    Interleaved.self,
    ZeroBubbleH1.self,
    ZeroBubbleH2.self,
    ZeroBubbleV.self,
    DualPipe.self,
    DualPipeV.self,
  ]
}

extension PipelineOrder {
  /// The order of many micro-batches, from the lists for few: what a list of one period more has in addition repeats.
  ///
  /// - Parameters:
  ///   - microBatches: How many there are.
  ///   - period: Micro-batches after which the pattern repeats.
  ///   - least: Micro-batches by which it has begun to repeat.
  ///   - list: The actions for so many micro-batches.
  init(
    _ microBatches: Int, period: Int, least: Int, _ list: (Int) -> [PipelineAction]
  ) {
    let few = least + (microBatches - least) % max(period, 1)
    guard microBatches > few + period, few > 0 else {
      self.init(list(microBatches))
      return
    }
    let (short, long) = (list(few), list(few + period))
    var common = 0
    while common < short.count, short[common] == long[common] { common += 1 }
    let cycle = Array(long[common..<common + long.count - short.count])
    self.init(Array(short[..<common]))
    add(cycle, (microBatches - few) / max(period, 1))
    for action in short[common...] { add([action]) }
  }
}

extension PlanError {
  /// What a schedule refuses.
  static func schedule(_ message: String, _ fix: String, key: String = "schedule") -> Self {
    Self(.conflict, message, path: "strategies.pipeline_parallel." + key, fix: fix)
  }
}
