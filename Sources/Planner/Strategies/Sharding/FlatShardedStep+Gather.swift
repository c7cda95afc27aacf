/// Gathering flat parameters, and cutting them again.
extension FlatShardedStep {
  /// The unit computes with gathered parameters from here on.
  func open(_ section: Int, _ tape: inout Tape) {
    if let next = ahead, next.section == section {
      gathered[section].append(next.storage)
      ahead = nil
    } else {
      gathered[section].append(gather(section, &tape))
    }
  }

  /// The unit's parameters are cut again.
  func close(_ section: Int, _ tape: inout Tape) {
    guard let storage = gathered[section].popLast() else { return }
    cut(storage, &tape)
  }

  /// Frees what was gathered, which the model's stream reads, and notes it for the limiter (`_reshard`).
  func cut(_ storage: Int32, _ tape: inout Tape) {
    tape.record(storage, on: Self.computing)
    tape.release(storage, Moment.allGather.rawValue)
    tape.schedule.events.append(Event(kind: .hostMark, storage: storage))
  }

  /// The limiter of `_unshard`: the host waits until all but one of the units that were cut are computed.
  func waitForCut(_ tape: inout Tape) {
    tape.schedule.events.append(Event(kind: .hostWait))
  }

  /// Gathers a unit's shares.
  func gather(_ section: Int, _ tape: inout Tape) -> Int32 {
    guard let unit = units[section] else { return -1 }
    let moment = Moment.allGather.rawValue
    let shard = shareOnDevice(unit, &tape)
    waitForCut(&tape)
    guard !settings.isWhole else { return shard }
    // The original parameters stay views of the copy from the host until the unit is cut again.
    let copy =
      settings.offloads && settings.keepsOriginals && !unit.isCast
      ? unit.share &* unit.stored.size : 0
    tape.record(shard, on: Self.gathering)
    if copy > 0 { tape.release(shard, moment) }
    // A layer's adapters are gathered one by one; only where they stay for backward do they add up.
    let beside = settings.sharding.reshards ? 0 : adapterBytes[section]
    let whole = tape.allocate(
      unit.gatheredBytes(settings.ranks) &+ copy &+ beside, .parameters, moment,
      stream: Self.gathering)
    if copy == 0 { tape.release(shard, moment) }
    tape.communicate(.allGather, unit.gatheredBytes(settings.ranks), among: settings.ranks)
    return whole
  }

  /// The share as it is gathered, where it is not there already: cast, copied from the host, or both.
  func shareOnDevice(_ unit: FlatParameter, _ tape: inout Tape) -> Int32 {
    let moment = Moment.allGather.rawValue
    func allocate(_ format: DType, _ role: Role, _ tape: inout Tape) -> Int32 {
      tape.allocate(
        unit.share &* format.size, settings.isWhole ? .parameters : role, moment,
        stream: Self.casting)
    }
    guard unit.isCast else {
      return settings.offloads ? allocate(unit.stored, .communication, &tape) : -1
    }
    let cast = allocate(unit.compute, .communication, &tape)
    if settings.offloads {
      tape.release(allocate(unit.stored, .communication, &tape), moment)
    }
    return cast
  }

  /// A share on the host comes to the device even where the unit is gathered already.
  func passHost(_ section: Int, _ tape: inout Tape) {
    guard let unit = units[section] else { return }
    if settings.offloads, !settings.isWhole {
      tape.release(shareOnDevice(unit, &tape), Moment.allGather.rawValue)
    }
    waitForCut(&tape)
  }
}
