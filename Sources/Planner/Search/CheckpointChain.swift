/// The least that a chain of equal layers has to compute again within a memory.
///
/// Multistage checkpointing: a layer keeps what one of several options keeps, or runs without keeping anything while
/// its input stays, to run again from there, as often as it takes. A dynamic program over the number of layers and
/// the memory finds the best of all schedules in which a kept input stays until its layers' backward.
///
/// Source: Beaumont, Eyraud-Dubois, Herrmann, Joly and Shilova 2019, arXiv:1911.13214 (rotor), for equal layers.
struct CheckpointChain {
  /// One way to keep a layer.
  struct Option: Hashable {
    /// What it keeps from its forward to its backward, its result included.
    var kept: Int
    /// The most that its backward needs: what it keeps, what it computes again, and gradients.
    var working: Int
    /// The time that its backward spends computing again.
    var again: Double
  }

  /// The options of a layer.
  var options: [Option]
  /// What a layer's input takes.
  var boundary: Int
  /// The time of a layer's forward.
  var forward: Double
  /// The most that everything behind the last layer takes, until its backward begins.
  var head: Int

  /// The least time spent computing again, for each memory from 0 to `memory`; infinite where nothing fits.
  func least(layers: Int, memory: Int) -> [Double] {
    let width = memory + 1
    // Layers whose gradient has arrived, and layers with the head behind them.
    var inner = Array(repeating: 0.0, count: width * (layers + 1))
    var tail = Array(repeating: Double.infinity, count: width * (layers + 1))
    for bytes in 0..<width where bytes >= head { tail[bytes] = 0 }
    guard layers > 0 else { return Array(tail[0..<width]) }
    for length in 1...layers {
      for bytes in 0..<width {
        var (best, bestTail) = (Double.infinity, Double.infinity)
        for option in options where option.working <= bytes && option.kept <= bytes {
          let at = width * (length - 1) + bytes - option.kept
          best = min(best, option.again + inner[at])
          bestTail = min(bestTail, option.again + tail[at])
        }
        if boundary <= bytes {
          for ahead in 1...length {
            let at = width * (length - ahead) + bytes - boundary
            let cost = Double(ahead) * forward
            if ahead < length {
              best = min(best, cost + inner[at] + inner[width * ahead + bytes])
              bestTail = min(bestTail, cost + tail[at] + inner[width * ahead + bytes])
            } else {
              bestTail = min(bestTail, cost + tail[at] + best)
            }
          }
        }
        inner[width * length + bytes] = best
        tail[width * length + bytes] = bestTail
      }
    }
    return Array(tail[(width * layers)...])
  }
}
