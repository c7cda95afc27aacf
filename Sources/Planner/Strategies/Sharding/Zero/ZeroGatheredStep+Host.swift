/// What stage 3 keeps on the host, or on a disk.
///
/// Source: `deepspeed/runtime/zero/stage3.py` and `deepspeed/runtime/swap_tensor`, DeepSpeed 0.19.8.
extension ZeroGatheredStep {
  /// Weights, gradients and states as the optimizer has them, the flat gradients as they add up, and the shares themselves
  /// where parameters are offloaded; what is on disk has buffers for the largest sub-group, or for parameters.
  var hostShare: HostShare? {
    get throws(PlanError) {
      guard let offload = settings.optimizerOffload else { return nil }
      let trained = subGroups.reduce(0, &+)
      let largest = subGroups.max() ?? 0
      let states = optimizer?.statesOnHost ?? 2
      var host = HostShare()
      func add(_ elements: Int, _ size: Int, _ role: Role, pins: Bool) throws(PlanError) {
        host.tensors.append(
          HostTensor(try checkedProduct(elements, size), role, isPinned: pins))
      }
      if offload.device == .cpu {
        for elements in subGroups {
          try add(elements, formats.master.size, .parameters, pins: offload.isPinned)
          try add(elements, formats.master.size, .gradients, pins: offload.isPinned)
          for _ in 0..<states {
            try add(elements, formats.hostStates.size, .optimizerState, pins: false)
          }
        }
      } else {
        for _ in 0..<offload.buffers {
          try add(largest, formats.master.size, .optimizerState, pins: true)
        }
      }
      try add(trained, formats.accumulation.size, .gradients, pins: offload.isPinned)
      if let parameters = settings.parameterOffload {
        let shares = self.parameters.all.reduce(0) { $0 &+ share($1) }
        if parameters.device == .cpu {
          let bytes = self.parameters.all.reduce(0) { $0 &+ share($1) &* $1.size }
          try add(bytes, 1, .parameters, pins: parameters.isPinned)
        } else {
          try add(min(shares, parameters.mostOnHost), size, .parameters, pins: parameters.isPinned)
          for _ in 0..<parameters.buffers {
            try add(parameters.bufferSize, size, .parameters, pins: true)
          }
        }
      }
      // Every micro-batch takes the shares to the device for forward and for backward.
      let shares = parameters.all.reduce(0) { $0 &+ share($1) }
      let taken = settings.parameterOffload == nil ? trained : shares
      let times = settings.parameterOffload == nil ? 1 : 2 * microBatches
      host.moved = OptimizerTransfers(
        toHost: try checkedProduct(trained, formats.master.size),
        toDevice: try checkedProduct(taken, size, times),
        updatedOnHost: trained)
      if offload.device == .nvme {
        // Weights, gradients and states, each read and written once.
        host.fromDisk = try checkedProduct(trained, 2 + states, formats.master.size)
        host.toDisk = host.fromDisk
      }
      if settings.parameterOffload?.device == .nvme {
        let onDisk = max(0, shares - (settings.parameterOffload?.mostOnHost ?? 0))
        host.fromDisk += try checkedProduct(onDisk, size, times)
        host.toDisk += try checkedProduct(onDisk, size)
      }
      return host
    }
  }
}
