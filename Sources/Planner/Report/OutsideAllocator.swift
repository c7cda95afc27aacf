/// What a process takes of a device outside PyTorch's allocator: the CUDA context, and NCCL's buffers.
///
/// cuBLAS and cuBLASLt workspaces are not here: PyTorch allocates them itself, so they are tensors of the step.
struct OutsideAllocator: Sendable {
  /// One part, with its range and what moves it.
  struct Part: Hashable, Sendable {
    /// `cuda_context`.
    let name: String
    /// What it is called in a sentence: "a CUDA context".
    let text: String
    let low: Bytes
    let expected: Bytes
    /// What the verdict counts.
    let high: Bytes
    /// Why it is not one number.
    let cause: String
    let source: String
  }

  /// The parts, the context first.
  let parts: [Part]

  /// The parts of one process on a device.
  ///
  /// - Parameter communicators: NCCL communicators that the process is in.
  init(_ device: Device, communicators: Int = 0) throws(PlanError) {
    guard device.kind == .accelerator else {
      parts = [ProcessorAllowance.part]
      return
    }
    var parts = [Self.context(of: device)]
    if communicators > 0 { parts.append(try Self.communication(communicators, on: device)) }
    self.parts = parts
  }

  /// The highest that all parts come to.
  var high: Bytes {
    get throws(PlanError) {
      var sum = Bytes.zero
      for part in parts { sum = try sum + part.high }
      return sum
    }
  }

  /// The context with the kernels that a step loads.
  ///
  /// CUDA loads kernels when they are first used (the default since CUDA 12.2), so it grows with the number of
  /// different kernels; with `CUDA_MODULE_LOADING=EAGER` it is twice as large.
  private static func context(of device: Device) -> Part {
    if device.id == "t4" {
      let measured = Bytes(147_718_144)
      return Part(
        name: "cuda_context", text: "a CUDA context", low: Bytes(109_969_408), expected: measured,
        high: measured, cause: "the kernels that were used",
        source: "T4, PyTorch 2.10 to 2.14: 104.875 MiB at first, 140.875 MiB after a step")
    }
    if device.computeCapability < 75 {
      return Part(
        name: "cuda_context", text: "a CUDA context", low: Bytes(504_658_658),
        expected: Bytes(1113 << 20), high: Bytes(1343 << 20),
        cause: "whether all kernels are loaded at once, as CUDA before 11.7 does",
        source: "V100: 1,113 to 1,343 MiB with CUDA 11; A100 with lazy loading: 0.47 GiB")
    }
    return Part(
      name: "cuda_context", text: "a CUDA context", low: Bytes(147_718_144),
      expected: Bytes(504_658_658), high: Bytes(520 << 20),
      cause: "the kernels that were used, and the driver",
      source: "T4: 140.875 MiB; A100, PyTorch 2.1: 0.47 GiB; the reference runs' card: 520 MiB")
  }

  /// NCCL's buffers, the same for each communicator.
  private static func communication(_ communicators: Int, on device: Device)
    throws(PlanError) -> Part
  {
    func all(_ bytes: Int) throws(PlanError) -> Bytes {
      Bytes(try checkedProduct(communicators, bytes))
    }
    let buffers = NCCLBuffers(device)
    return Part(
      name: "nccl_buffers",
      text: communicators == 1
        ? "an NCCL communicator" : "\(communicators) NCCL communicators",
      low: try all(buffers.low), expected: try all(buffers.expected),
      high: try all(NCCLBuffers.high),
      cause:
        "\(buffers.channels) channels or more, by topology; a ring alone or a tree as well; kernels",
      source: "NCCL's init.cc and p2p.cc; 544 MiB on 2 and 688 MiB on 4 A100s (NVIDIA/nccl#964); "
        + "1.5 GiB at the first barrier (ml-engineering)")
  }

  /// What to tell the reader.
  var assumptions: [Assumption] {
    parts.map { part in
      Assumption(
        part.name,
        part.low == part.high
          ? "\(part.text) of \(part.high)"
          : "\(part.text) of \(part.high), the high end of \(part.low) to \(part.high): \(part.cause)",
        source: part.source)
    }
  }
}
