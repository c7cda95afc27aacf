/// `fully_shard` around a stage of a pipeline.
///
/// Parameters are gathered by the first forward pass and stay; backward passes only add up. Behind the last one the
/// schedule has each group resharded and reduced, the root first.
///
/// Source: `perform_reduce_grad` and `backward_maybe_with_nosync` in `torch/distributed/pipelining/stage.py`,
/// PyTorch 2.11; torchtitan's `reshard_after_forward` "default", which is off in pipelines.
extension FullyShardedStep {
  func endMicroBatches(in tape: inout Tape) {
    guard isPipeline else { return }
    let moment = Moment.reduceScatter.rawValue
    for (section, kept) in zip(waitingGroups, waiting).reversed() {
      let parameters = gathered[section].isEmpty ? [] : gathered[section].removeFirst()
      var layers = 1
      for storage in parameters + kept {
        layers = max(layers, tape.storages[Int(storage)].copies / tape.copies)
      }
      let outer = tape.copies
      if layers > 1 {
        tape.schedule.beginRepeat(layers)
        tape.copies *= layers
      }
      for parameter in parameters { tape.release(parameter, Moment.allGather.rawValue) }
      if !kept.isEmpty { reduce(kept, of: groups[section], &tape) }
      if layers > 1 {
        tape.schedule.endRepeat()
        tape.carry(reduceInput, from: tape.copies, to: outer)
        tape.copies = outer
      }
    }
    tape.release(reduceInput, moment)
    reduceInput = -1
    for input in allReduceInputs { tape.release(input, moment) }
    allReduceInputs = []
  }
}
