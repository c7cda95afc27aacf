/// What a step computes and exchanges.
struct Work: Hashable, Sendable {
  /// FLOPs of forward and backward without recomputation.
  var flops: Int128 = 0
  /// FLOPs computed again.
  var recomputed: Int128 = 0
  /// Estimated time of forward and backward without recomputation.
  var time = KernelTime.zero
  /// Estimated time of recomputation.
  var recomputedTime = KernelTime.zero
  /// What this device sends to others.
  var traffic = Traffic()

  /// Estimated time of all kernels.
  var allTime: KernelTime { time + recomputedTime }

  /// The work of so many micro-batches like this one.
  mutating func scale(_ count: Int) {
    flops = flops &* Int128(count)
    recomputed = recomputed &* Int128(count)
    time = time * Double(count)
    recomputedTime = recomputedTime * Double(count)
    traffic.scale(Double(count))
  }

  /// What is computed besides.
  mutating func add(_ other: Work) {
    flops &+= other.flops
    recomputed &+= other.recomputed
    time.add(other.time)
    recomputedTime.add(other.recomputedTime)
    traffic.add(other.traffic)
  }
}

/// A part of a step in which collectives run beside kernels: the forward or the backward of a micro-batch.
struct Overlap: Sendable {
  /// What runs and what is exchanged in it.
  var work: Work
  /// How many such parts there are.
  var count: Int

  /// How much slower kernels run while a collective does.
  ///
  /// Source: 1.126, measured by Galvatron (`overlap_coefficient.json`, PKU-DAIR/Hetu-Galvatron).
  static let slowdown = 0.126

  /// Seconds of one such part that collectives add to its kernels.
  ///
  /// Frameworks gather a layer while the one before runs, and reduce a bucket or a layer while backward goes on: what
  /// is exposed is the first gather or the last reduction, and what takes longer than the kernels. Collectives whose
  /// result is needed at once hide behind nothing.
  func exposed(over link: Interconnect) -> Double {
    var (waiting, hidden, first) = (0.0, 0.0, 0.0)
    for entry in work.traffic.entries {
      let one = link.seconds(
        entry.collective, payload: entry.payload / max(entry.calls, 1), among: entry.ranks)
      if entry.waits {
        waiting += one * entry.calls
      } else {
        hidden += one * entry.calls
        first = max(first, one)
      }
    }
    let kernels = work.allTime.seconds
    let beyond = max(first, hidden - kernels)
    return waiting + beyond + Self.slowdown * max(0, min(hidden - beyond, kernels))
  }
}
