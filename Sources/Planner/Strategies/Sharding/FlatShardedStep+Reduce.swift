/// From the gradients of a unit's parameters to this device's share of their mean.
extension FlatShardedStep {
  /// An adapter's gradient is complete.
  func join(_ made: [Int32], of unit: FlatParameter, _ tape: inout Tape) {
    flat = joined(made, of: unit, &tape)
    settle(of: unit, &tape)
  }

  /// Makes one flat gradient of a unit's, and adds it to what waits from an earlier micro-batch.
  func joined(_ made: [Int32], of unit: FlatParameter, _ tape: inout Tape) -> Int32 {
    let moment = Moment.reduceScatter.rawValue
    // The views were made on the gather's stream, so their backward runs there.
    let zeros = unit.padding.map {
      tape.allocate($0 &* unit.compute.size, .gradients, moment, stream: Self.gathering)
    }
    let whole = tape.allocate(
      unit.elements &* unit.compute.size, .gradients, moment, stream: Self.gathering)
    for part in made { tape.record(part, on: Self.gathering) }
    for part in zeros + made { tape.release(part, moment) }
    tape.record(whole, on: Self.reducing)
    guard turn < waiting.count else { return whole }
    tape.release(whole, moment)
    return waiting[turn]
  }

  /// Keeps the flat gradient for a later micro-batch, or reduces it.
  func settle(of unit: FlatParameter, _ tape: inout Tape) {
    if !reduces {
      if turn == waiting.count { waiting.append(flat) }
    } else if settings.isWhole {
      reduceWhole(flat, of: unit, &tape)
    } else {
      reduce(flat, of: unit, &tape)
    }
    turn += 1
  }

  /// Casts, reduces and cuts a flat gradient.
  func reduce(_ flat: Int32, of unit: FlatParameter, _ tape: inout Tape) {
    let moment = Moment.reduceScatter.rawValue
    let format = reduceFormat(of: unit)
    var inputs = [flat]
    func allocate(_ bytes: Int, _ role: Role, _ tape: inout Tape) -> Int32 {
      tape.allocate(bytes, role, moment, stream: Self.reducing)
    }
    if format != unit.compute {
      inputs.append(allocate(unit.elements &* format.size, .communication, &tape))
    }
    let padded = unit.share &* settings.ranks
    if padded != unit.elements {
      inputs.append(allocate(padded &* format.size, .communication, &tape))
    }
    var reduced = allocate(unit.share &* format.size, .gradients, &tape)
    tape.communicate(.reduceScatter, padded &* format.size, among: settings.ranks)
    tape.communicate(.allReduce, unit.share &* format.size, among: settings.replicas)
    if format != unit.stored {
      let cast = allocate(unit.share &* unit.stored.size, .gradients, &tape)
      if settings.replicas > 1 { tape.record(reduced, on: Self.averaging) }
      if settings.replicas > 1, isRoot(unit) { linger(reduced, tape) }
      tape.release(reduced, moment)
      reduced = cast
    } else if settings.replicas > 1, hasReduced, isRoot(unit) {
      linger(reduced, tape)
    }
    keep(reduced, &tape)
    if isRoot(unit) { linger(flat, tape) }
    for input in inputs { tape.release(input, moment) }
  }

  func isRoot(_ unit: FlatParameter) -> Bool { unit.leaves.first == units[0]?.leaves.first }

  /// What another stream was given to read outlives its last reference, until the next allocation.
  func linger(_ storage: Int32, _ tape: Tape) {
    lingering += tape.storages[Int(storage)].bytes
  }

  /// The gradient of a unit that is not cut.
  func reduceWhole(_ flat: Int32, of unit: FlatParameter, _ tape: inout Tape) {
    let moment = Moment.reduceScatter.rawValue
    let format = reduceFormat(of: unit)
    tape.communicate(.allReduce, unit.elements &* format.size, among: settings.shards)
    // Autograd has added it to what an earlier micro-batch left, which is cast there and back again.
    let old = hasReduced ? unit.stored : unit.compute
    if hasReduced { tape.release(flat, Moment.accumulation.rawValue) }
    var gradient: Int32 = hasReduced ? -1 : flat
    if old != format {
      gradient = tape.allocate(
        unit.elements &* format.size, .gradients, moment, stream: Self.reducing)
    }
    if format != unit.stored {
      let cast = tape.allocate(
        unit.elements &* unit.stored.size, .gradients, moment, stream: Self.reducing)
      if gradient != flat { tape.release(gradient, moment) }
      gradient = cast
    }
    if !hasReduced, gradient != flat {
      if isRoot(unit) { linger(flat, tape) }
      tape.release(flat, moment)
    } else if isRoot(unit), gradient == flat {
      // Nothing was allocated since the parameters' own gradients were freed.
      lingering += unit.leaves.reduce(0) { $0 &+ program.leaves[$1].spec.bytes }
    }
    keep(gradient, &tape)
  }

  /// The reduced gradient is kept, added to what is there, or copied to the host.
  func keep(_ reduced: Int32, _ tape: inout Tape) {
    if settings.offloads {
      copied.append(reduced)
    } else if hasReduced {
      tape.release(reduced, Moment.accumulation.rawValue)
    } else {
      tape.gradients.append(reduced)
    }
  }

  func reduceFormat(of unit: FlatParameter) -> DType {
    settings.reduceFormat ?? settings.parameterFormat ?? unit.stored
  }

  /// `FullyShardedDataParallel.clip_grad_norm_`: the norm of each gradient in fp32, all of them stacked, their norm.
  func beforeOptimizer(in schedule: inout Schedule) throws(PlanError) {
    let moment = Moment.phaseStart.rawValue
    schedule.allocate(lingering, .gradients, moment, storage: Event.lingering)
    schedule.free(lingering, .gradients, moment, storage: Event.lingering)
    guard clips, plan.clipping != nil else { return }
    var count = 0
    for weight in trained { count += weight.count }
    let kernels = plan.context.kernels
    var norms = OptimizerStep(weights: trained, schedule: schedule, moment: .clipping, role: .other)
    norms.forEach { step, weight, _ in
      step.allocate(4)
      step.passing(TotalNorm.workspace(elements: weight.spec.elements, on: kernels))
    }
    norms.allocate(4, count: count)
    norms.passing(4 + TotalNorm.workspace(elements: count, on: kernels))
    norms.free(4, count: 2 * count)
    schedule = norms.schedule
  }
}
