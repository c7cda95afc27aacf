/// Attention over a sequence that devices share: keys and values of all devices are gathered once, the results of each
/// device's keys are merged in fp32.
///
/// Sequences are cut into twice as many parts as there are devices, of which each has one from either end
/// (`enable_load_balance`). The last device needs most: with each other device's keys it works on all its queries and
/// half of those keys. In backward gradients of keys and values go round the ring in fp32.
///
/// Source: `_templated_ring_attention`, `_templated_ring_attention_backward` and `_SDPAMerger` in
/// `torch/distributed/tensor/experimental/_context_parallel/_attention.py`, PyTorch 2.11; allocator traces of both.
extension Forward {
  /// `scaled_dot_product_attention` within `context_parallel`, of this device's queries.
  ///
  /// The result lies in memory head by head.
  mutating func ringAttention(
    _ q: Value, _ k: Value, _ v: Value, shape: AttentionShape, kernel: AttentionKernel
  ) throws(PlanError) -> Value {
    let ranks = context.mesh.context
    let pair = try TensorSpec(1, k.spec.elements + v.spec.elements, k.spec.dtype)
    let all = try TensorSpec(ranks, pair.columns, pair.dtype)
    let statistics = try TensorSpec(
      try checkedProduct(shape.batch, shape.heads), shape.queries, .fp32)
    let q = try sendsGradients(q, pair.cast(to: .fp32), ranks)
    let flops = try checkedProduct(
      2, try checkedProduct(shape.batch, shape.heads, shape.queries, shape.keys),
      try checkedProduct(shape.headWidth, ranks))
    begin(kernel == .cudnn ? "ring_cudnn_attention" : "ring_flash_attention", q, k, v)
    let gather = Exchange(collective: .allGather, payload: all.bytes, ranks: ranks)
    exchange(gather, backward: gather)
    for input in [q, k, v] { save(input, for: .max) }
    work(
      flops: flops, bytes: 2 * q.spec.bytes + all.bytes, dtype: q.spec.dtype, kind: .attention)
    try ringBackward(q, k, v, pair: pair, shape: shape, kernel: kernel, flops: flops)
    record()
    return try ringForward(
      q, k, v, pair: pair, all: all, statistics: statistics, kernel: kernel,
      copies: shape.keyHeads > 1)
  }

  /// Backward sends gradients of keys and values to the next device, once for each device.
  private mutating func sendsGradients(_ q: Value, _ pair: TensorSpec, _ ranks: Int)
    throws(PlanError) -> Value
  {
    begin("permute_tensor", q)
    exchange(
      nil,
      backward: Exchange(
        collective: .pointToPoint, payload: try checkedProduct(pair.bytes, ranks), ranks: ranks))
    pass(0)
    return endView(q.spec, of: q)
  }

  private mutating func made(_ spec: TensorSpec, role: Role = .activations) -> Value {
    let value = register(spec)
    allocate(value, role: role)
    return value
  }

  /// What a kernel returns: its result, the log-sum-exp of its rows, and two tensors of its random state.
  private struct Block {
    let output: Value
    let statistics: Value
    let states: [Value]
  }

  private mutating func block(
    _ output: TensorSpec, _ statistics: TensorSpec, _ kernel: AttentionKernel
  ) throws(PlanError) -> Block {
    let seed = try TensorSpec(1, kernel == .flash ? 2 : 1, .int64)
    let offset = try TensorSpec(1, 1, .int64)
    if kernel == .cudnn {
      let states = [made(seed, role: .other), made(offset, role: .other)]
      return Block(output: made(output), statistics: made(statistics), states: states)
    }
    let (output, rows) = (made(output), made(statistics))
    return Block(
      output: output, statistics: rows,
      states: [made(seed, role: .other), made(offset, role: .other)])
  }

  private mutating func ringForward(
    _ q: Value, _ k: Value, _ v: Value, pair: TensorSpec, all: TensorSpec, statistics: TensorSpec,
    kernel: AttentionKernel, copies: Bool
  ) throws(PlanError) -> Value {
    func drop(_ values: [Value], _ f: inout Forward) {
      for value in values { f.release(value.register) }
    }
    let wide = q.spec.cast(to: .fp32)
    let ordered = copies ? [made(k.spec), made(v.spec)] : []
    let joined = made(pair)
    let gathered = made(all)
    drop([joined], &self)
    var last = try block(q.spec, statistics, kernel)
    var (merged, rows) = (made(wide), last.statistics)
    for index in 1..<all.rows {
      if index < all.rows - 1 { drop([made(pair)], &self) }
      if index == 1 { drop(ordered, &self) }
      let next = try block(q.spec, statistics, kernel)
      drop([last.output] + (index > 1 ? [last.statistics] : []) + last.states, &self)
      // out − sigmoid(lse' − lse) · (out − out'), and the same for lse.
      let new = made(wide)
      let difference = made(statistics)
      let weight = made(statistics)
      drop([difference], &self)
      let distance = made(wide)
      let product = made(wide)
      drop([weight, distance], &self)
      let result = made(wide)
      drop([product], &self)
      let negative = made(statistics)
      let logarithm = made(statistics)
      drop([negative], &self)
      let sum = made(statistics)
      drop([logarithm, rows, merged, new], &self)
      (merged, rows, last) = (result, sum, next)
    }
    let output = made(q.spec)
    drop([merged, gathered, last.output, last.statistics], &self)
    link(output, saving: .max, and: [rows] + last.states)
    return output
  }

  /// Numbers of the temporaries of the backward; those below are the kernel's.
  private enum Place: UInt8 {
    case query = 4, key, value, orderedKey, orderedValue, gathered, flatKey, flatValue, pair
    case pairs = 13, made = 15, sums = 21, parts = 25, arrived = 27
  }

  private mutating func ringBackward(
    _ q: Value, _ k: Value, _ v: Value, pair: TensorSpec, shape: AttentionShape,
    kernel: AttentionKernel, flops: Int
  ) throws(PlanError) {
    let ranks = context.mesh.context
    let (wideQuery, wideKey, wideValue, widePair) = (
      q.spec.bytes &* 2, k.spec.bytes &* 2, v.spec.bytes &* 2, pair.bytes &* 2
    )
    let copies = shape.keyHeads > 1
    func at(_ place: Place, _ offset: Int = 0) -> UInt8 { place.rawValue + UInt8(offset) }
    func run(_ turn: Int, _ f: inout Forward) throws(PlanError) {
      let first = 3 * (turn % 2)
      let share = turn == 0 ? 1 : 2
      f.temporary(at(.made, first), q.spec.bytes)
      f.temporary(at(.made, first + 1), k.spec.bytes / share)
      f.temporary(at(.made, first + 2), v.spec.bytes / share)
      var local = shape
      local.keys /= share
      try f.backwardWorkspace(q, k, v, shape: local, kernel: kernel)
    }
    func free(_ place: Place, _ offset: Int = 0, _ f: inout Forward) { f.free(at(place, offset)) }

    temporary(at(.query), wideQuery)
    temporary(at(.key), wideKey)
    temporary(at(.value), wideValue)
    if copies {
      temporary(at(.orderedKey), k.spec.bytes)
      temporary(at(.orderedValue), v.spec.bytes)
    }
    temporary(at(.pairs), pair.bytes)
    temporary(at(.gathered), try checkedProduct(pair.bytes, ranks))
    try run(0, &self)
    if copies {
      temporary(at(.flatKey), wideKey)
      temporary(at(.flatValue), wideValue)
    }
    temporary(at(.sums), widePair)
    if copies {
      free(.flatValue, 0, &self)
      free(.flatKey, 0, &self)
    }
    temporary(at(.parts), widePair)
    for turn in 1..<ranks {
      let (now, before) = (turn % 2, (turn + 1) % 2)
      if turn < ranks - 1 {
        temporary(at(.pairs, now), pair.bytes)
        free(.pairs, before, &self)
      }
      if turn == 1, copies {
        free(.orderedKey, 0, &self)
        free(.orderedValue, 0, &self)
      }
      try run(turn, &self)
      for part in 0..<3 { free(.made, 3 * before + part, &self) }
      free(.sums, before, &self)
      if turn > 1 {
        free(.arrived, 0, &self)
        free(.arrived, 1, &self)
      } else {
        free(.key, 0, &self)
        free(.value, 0, &self)
      }
      temporary(at(.arrived), wideKey)
      temporary(at(.arrived, 1), wideValue)
      temporary(at(.sums, now), widePair)
      temporary(at(.parts, now), widePair)
      free(.parts, before, &self)
    }
    let last = (ranks - 1) % 2
    gradient(0, q.spec, flops: try checkedProduct(flops / 2, 5), always: true)
    free(.query, 0, &self)
    temporary(at(.pair), pair.bytes)
    free(.sums, last, &self)
    free(.arrived, 0, &self)
    free(.arrived, 1, &self)
    free(.pairs, ranks > 2 ? ranks % 2 : 0, &self)
    for part in 0..<3 { free(.made, 3 * last + part, &self) }
    free(.parts, last, &self)
    free(.gathered, 0, &self)
    share(1, from: at(.pair))
    share(2, from: at(.pair))
    free(.pair, 0, &self)
  }
}
