/// Adds up what a plan keeps on the host and what it moves there and back.
struct HostUseBuilder {
  let scenario: Scenario
  let plan: TrainingPlan
  let step: TrainingStep

  /// Elements that a host updates in a second.
  ///
  /// Source: Ren et al. 2021, arXiv:2101.06840 (ZeRO-Offload): Adam of 10 billion parameters in 2.57 s on two Xeons.
  static let updateRate = 4e9

  /// The sum, or `nil` where nothing lies on the host.
  func use() throws(PlanError) -> HostUse? {
    var (sums, pinned) = (Array(repeating: Int128(0), count: Role.allCases.count), Int128(0))
    var (gradients, weights, updated) = (Int128(0), Int128(0), Int128(0))
    func add(_ tensor: HostTensor, _ count: Int) {
      let block = tensor.isPinned ? HostCopies.block(of: tensor.bytes) : tensor.bytes
      sums[Int(tensor.role.rawValue)] += Int128(block) * Int128(count)
      if tensor.isPinned { pinned += Int128(block) * Int128(count) }
    }
    for weight in step.weights where weight.trainable && weight.count > 0 {
      for tensor in try plan.optimizer.hostTensors(of: weight.spec) { add(tensor, weight.count) }
      let moved = plan.optimizer.transfers(of: weight.spec)
      gradients += Int128(moved.toHost) * Int128(weight.count)
      weights += Int128(moved.toDevice) * Int128(weight.count)
      updated += Int128(moved.updatedOnHost) * Int128(weight.count)
    }
    if let share = step.hostShare {
      for tensor in share.tensors { add(tensor, 1) }
      gradients += Int128(share.moved.toHost)
      weights += Int128(share.moved.toDevice)
      updated += Int128(share.moved.updatedOnHost)
    }
    let saved = step.host
    let pinsSaved = plan.placement.activations == .pinned
    sums[Int(Role.activations.rawValue)] += pinsSaved ? saved.pinned : saved.bytes
    if pinsSaved { pinned += saved.pinned }

    let batches = Int128(plan.microBatches)
    let needed = sums.reduce(0, +)
    guard needed > 0 else { return nil }
    let activations = Transfers(
      toHost: saved.bytes * batches, toDevice: saved.returned * batches,
      rate: link.rate(pinned: pinsSaved))
    let states = Transfers(
      toHost: gradients * batches, toDevice: weights, rate: link.rate(pinned: true))
    var breakdown = Breakdown()
    for role in Role.allCases { breakdown[role] = try Self.bytes(sums[Int(role.rawValue)]) }
    return HostUse(
      needed: try Self.bytes(needed), pinned: try Self.bytes(pinned), breakdown: breakdown,
      capacity: scenario.hostMemory,
      toHost: try Self.bytes(activations.toHost + states.toHost),
      toDevice: try Self.bytes(activations.toDevice + states.toDevice),
      transferSeconds: try Seconds(activations.seconds + states.seconds),
      exposedSeconds: try Seconds(activations.seconds + exposed(states, updated)))
  }

  /// What to tell the reader where something moves.
  var assumptions: [Assumption] {
    [
      Assumption(
        "host_link",
        "\(link.text) moves what lies on the host; copies of saved tensors wait for each other, gradients leave behind "
          + "the backward pass, and the host updates \(Int(Self.updateRate / 1e9)) billion elements a second",
        source: link.source + "; Ren et al. 2021, arXiv:2101.06840")
    ] + disk
  }

  /// What moves between the host and a disk, whose time is not counted.
  private var disk: [Assumption] {
    guard let share = step.hostShare, share.fromDisk + share.toDisk > 0 else { return [] }
    return [
      Assumption(
        "disk",
        "each step reads \(Bytes(share.fromDisk)) from the disk and writes \(Bytes(share.toDisk)), for each device; "
          + "their time is not counted",
        source: "Rajbhandari et al. 2021, arXiv:2104.07857; runtime/swap_tensor, DeepSpeed 0.19.8")
    ]
  }

  private var link: HostLink { HostLink(of: scenario.device) }

  /// Gradients leave while the rest of the backward runs; the update and the way back of the weights overlap.
  private func exposed(_ moved: Transfers, _ updated: Int128) -> Double {
    let backward = step.work.allTime.seconds * 2 / 3
    let leaving = max(0, Double(moved.toHost) / moved.rate - backward)
    return leaving + max(Double(updated) / Self.updateRate, Double(moved.toDevice) / moved.rate)
  }

  private struct Transfers {
    var toHost: Int128
    var toDevice: Int128
    /// Bytes per second each way.
    var rate: Double
    var seconds: Double { Double(toHost + toDevice) / rate }
  }

  private static func bytes(_ count: Int128) throws(PlanError) -> Bytes {
    guard let bytes = Int(exactly: count) else {
      throw .overflow("bytes", "the sum of what lies on the host")
    }
    return Bytes(bytes)
  }
}
