/// Saved tensors that were copied to the host, each on its own: what `save_on_cpu` keeps of a forward pass.
///
/// A tensor that two nodes save is copied twice, and so is a weight: the hooks see every tensor that autograd packs.
/// All copies of a micro-batch are alive at the end of its forward.
///
/// Source: `save_on_cpu` in `torch/autograd/graph.py`; `SavedVariable` in `torch/csrc/autograd/saved_variable.cpp`,
/// PyTorch 2.11.
struct HostCopies: Sendable {
  /// The size of each copy, in the order of their making.
  private(set) var sizes: ContiguousArray<Int> = []
  /// Bytes of all copies of the micro-batches so far.
  private(set) var bytes: Int128 = 0
  /// The same as pinned memory: each copy takes a block of the next power of two.
  ///
  /// Source: `CachingHostAllocatorImpl::allocate` in PyTorch's `aten/src/ATen/core/CachingHostAllocator.h`.
  private(set) var pinned: Int128 = 0
  /// Bytes that came back.
  private(set) var returned: Int128 = 0

  /// Keeps a tensor of `bytes`, `copies` times over.
  ///
  /// - Returns: Where it is found again.
  mutating func keep(_ bytes: Int, _ copies: Int) -> Int32 {
    sizes.append(bytes)
    self.bytes &+= Int128(bytes) &* Int128(copies)
    pinned &+= Int128(Self.block(of: bytes)) &* Int128(copies)
    return Int32(truncatingIfNeeded: sizes.count - 1)
  }

  /// Takes a copy back to the device, `copies` times over.
  mutating func take(_ copy: Int32, _ copies: Int) -> Int {
    let bytes = sizes[Int(copy)]
    returned &+= Int128(bytes) &* Int128(copies)
    return bytes
  }

  /// The block that the pinned allocator takes for a tensor.
  static func block(of bytes: Int) -> Int {
    bytes <= 1 ? bytes : 1 << (Int.bitWidth - (bytes - 1).leadingZeroBitCount)
  }
}

/// Saved tensors come back from the host when their node runs, and die when its operator has returned.
extension Tape {
  /// Keeps a saved tensor on the host, or by streams.
  ///
  /// - Returns: Where it is found again.
  mutating func keepOnHost(
    _ storage: Int32, bytes: Int, isWeight: Bool = false, isTransposed: Bool = false,
    _ operation: Int32
  ) -> Int32 {
    if streams != nil {
      return keepStreamed(
        storage, bytes: bytes, isWeight: isWeight, isTransposed: isTransposed, operation)
    }
    let copy = host.keep(bytes, copies)
    // The pinned copy lies in order, so that the device makes one in order first.
    if isTransposed, pinsHost { release(allocate(bytes, .activations, operation), operation) }
    return copy
  }

  /// Takes a saved tensor back, with a reference for the caller.
  private mutating func takeFromHost(_ copy: Int32, _ operation: Int32) -> Int32 {
    if streams != nil { return takeStreamed(copy, operation) }
    return allocate(host.take(copy, copies), .activations, operation)
  }

  /// Copies to the device all that a node saved.
  mutating func fetch(_ node: Node) {
    for index in node.saved..<node.saved + node.savedCount {
      saved[Int(index)] = takeFromHost(saved[Int(index)], node.operation)
    }
  }

  /// The node's operator has returned.
  mutating func letGoOfFetched(_ node: Node) {
    for index in node.saved..<node.saved + node.savedCount {
      release(saved[Int(index)], node.operation)
      saved[Int(index)] = -1
    }
  }

  /// Keeps on the host what a checkpointed layer is called with by position.
  mutating func packInput(of frame: Int, _ input: Int32) {
    let moment = Moment.checkpoint.rawValue
    // An empty tensor is saved ahead of it.
    streams?.count += 1
    frames[frame].packedInput = keepOnHost(input, bytes: storages[Int(input)].bytes, moment)
    for register in program.sections[frames[frame].section].positional {
      let storage = registers[Int(register)].storage
      let copy =
        storage < 0 ? -1 : keepOnHost(storage, bytes: storages[Int(storage)].bytes, moment)
      frames[frame].packedArguments.append(copy)
    }
  }

  /// A checkpoint's input comes back before its layer runs again.
  mutating func fetchInput(of frame: Int) {
    guard frames[frame].packedInput >= 0 else { return }
    let moment = Moment.checkpoint.rawValue
    frames[frame].input.storage = takeFromHost(frames[frame].packedInput, moment)
    for (register, copy) in positional(of: frame) {
      registers[register].storage = takeFromHost(copy, moment)
    }
  }

  /// The registers that a layer was called with by position, with their copies on the host.
  private func positional(of frame: Int) -> [(register: Int, copy: Int32)] {
    let section = program.sections[frames[frame].section]
    return zip(section.positional, frames[frame].packedArguments).compactMap {
      $1 < 0 ? nil : (Int($0), $1)
    }
  }

  /// Only what the recomputation saved of its input stays.
  mutating func letGoOfFetchedInput(of frame: Int) {
    guard frames[frame].packedInput >= 0 else { return }
    release(frames[frame].input.storage, Moment.checkpoint.rawValue)
    for (register, _) in positional(of: frame) {
      release(registers[register].storage, Moment.checkpoint.rawValue)
      registers[register].storage = -1
    }
    frames[frame].packedInput = -1
  }
}
