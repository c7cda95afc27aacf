/// The loss scaler of fp16 autocast: a few scalars on the device.
///
/// Source: `GradScaler` in `torch/amp/grad_scaler.py`, PyTorch 2.11.
enum LossScaler {
  /// The scale in fp32 and the growth tracker in 32-bit integers.
  static let resident = 8
  /// Whether a gradient was infinite, in fp32.
  private static let found = 4

  /// `unscale_`: the inverse of the scale, by way of fp64.
  static func unscale(_ schedule: inout Schedule) {
    let moment = Moment.optimizerStep.rawValue
    for _ in 0..<2 { schedule.allocate(8, .optimizerState, moment) }
    for _ in 0..<2 { schedule.free(8, .optimizerState, moment) }
    schedule.allocate(found, .optimizerState, moment)
  }

  /// `update`: forgets what `unscale_` found.
  static func update(_ schedule: inout Schedule) {
    schedule.free(found, .optimizerState, Moment.optimizerStep.rawValue)
  }
}
