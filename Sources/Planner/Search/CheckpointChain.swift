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
      var best = Array(repeating: Double.infinity, count: width)
      var bestTail = best
      for option in options {
        // What has no room to be kept lies ahead of the row.
        let row = width * (length - 1) - option.kept
        for bytes in max(option.working, option.kept, 0)..<max(width, option.working, option.kept) {
          best[bytes] = min(best[bytes], option.again + inner[row + bytes])
          bestTail[bytes] = min(bestTail[bytes], option.again + tail[row + bytes])
        }
      }
      for ahead in 1..<max(length, 1) {
        Self.split(
          &best, &bestTail, inner, tail, at: width * (length - ahead), after: width * ahead,
          boundary, Double(ahead) * forward)
      }
      let cost = Double(length) * forward
      for bytes in min(boundary, width)..<width {
        bestTail[bytes] = min(bestTail[bytes], cost + tail[bytes - boundary] + best[bytes])
      }
      inner.replaceSubrange(width * length..<width * (length + 1), with: best)
      tail.replaceSubrange(width * length..<width * (length + 1), with: bestTail)
    }
    return Array(tail[(width * layers)...])
  }

  /// Some layers run ahead without keeping anything but their input: those behind come first, with less memory, and
  /// then these, which begin at `after`.
  private static func split(
    _ best: inout [Double], _ bestTail: inout [Double], _ inner: [Double], _ tail: [Double],
    at start: Int, after: Int, _ boundary: Int, _ cost: Double
  ) {
    let width = best.count
    guard boundary < width else { return }
    best.withUnsafeMutableBufferPointer { best in
      bestTail.withUnsafeMutableBufferPointer { bestTail in
        inner.withUnsafeBufferPointer { inner in
          tail.withUnsafeBufferPointer { tail in
            for bytes in boundary..<width {
              let rest = cost + inner[after &+ bytes]
              let at = start &+ bytes &- boundary
              best[bytes] = min(best[bytes], rest + inner[at])
              bestTail[bytes] = min(bestTail[bytes], rest + tail[at])
            }
          }
        }
      }
    }
  }
}
