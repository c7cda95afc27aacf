/// Writing operations: what they save, allocate and do in backward.
extension Forward {
  /// Begins an operation over differentiable inputs.
  mutating func begin(
    _ name: StaticString, module: StaticString? = nil, _ a: Value, _ b: Value? = nil,
    _ c: Value? = nil, _ d: Value? = nil, _ e: Value? = nil
  ) {
    current = Operation(name: name, module: module ?? self.module)
    cost = OperationCost()
    let start = program.registers.count
    for case let input? in [a, b, c, d, e] {
      program.registers.append(input.register)
      let leaf = leafOf[Int(input.register)]
      if leaf >= 0 { program.leaves[Int(leaf)].uses += 1 }
    }
    current.inputs = start..<program.registers.count
    let saves = program.saves.count
    current.savedInputs = saves..<saves
    current.steps = program.steps.count..<program.steps.count
  }

  /// Saves an input for backward, if the gradient of one of the inputs in `mask` is needed.
  ///
  /// - Parameters:
  ///   - bytes: The tensor's size, where it is a part of `value`.
  ///   - transposed: Whether a transposed view of it is saved.
  mutating func save(
    _ value: Value, for mask: UInt8, bytes: Int? = nil, transposed: Bool = false
  ) {
    var save = Save(value, mask: mask, bytes: bytes)
    save.isTransposed = transposed
    program.saves.append(save)
    current.savedInputs = current.savedInputs.lowerBound..<program.saves.count
  }

  /// Saves a tensor that the training loop holds, of `bytes`.
  mutating func saveHeld(_ bytes: Int, for mask: UInt8) {
    program.saves.append(Save(bytes: bytes, mask: mask))
    current.savedInputs = current.savedInputs.lowerBound..<program.saves.count
  }

  /// What the forward costs: a matrix product where it computes, unless `kind` says otherwise.
  ///
  /// - Parameters:
  ///   - speed: How much faster the matrix units are than in `dtype`.
  ///   - alsoMoving: Bytes that further kernels read and write, here and for each gradient.
  mutating func work(
    flops: Int, bytes: Int, dtype: DType, kind: KernelKind? = nil, speed: Int = 1,
    alsoMoving: Int = 0
  ) {
    current.flops = flops
    cost = OperationCost(
      kind: kind ?? (flops > 0 ? .product : .memory), bytes: bytes, dtype: dtype, speed: speed,
      alsoMoving: alsoMoving)
    current.time = context.kernels.time(
      cost.kind, flops: flops / speed, bytes: bytes, dtype: dtype)
    if alsoMoving > 0 { current.time.add(context.kernels.time(moving: alsoMoving)) }
  }

  /// Backward allocates the gradient of input `index`; `always` where a kernel makes it even if nobody wants it.
  ///
  /// - Parameter part: Its own bytes, where it is a part of the rows that are allocated.
  mutating func gradient(
    _ index: UInt8, _ spec: TensorSpec, view: Bool = false, role: Role = .activations,
    flops: Int = 0, always: Bool = false, part: Int = 0
  ) {
    step(
      BackwardStep(
        kind: .gradient, mask: always ? .max : 1 << index, index: index, view: view, role: role,
        bytes: spec.bytes, extra: part, flops: flops))
  }

  /// Backward hands the gradient of output `output` on to input `index`, without a copy.
  mutating func pass(_ index: UInt8, view: Bool = false, from output: Int = 0) {
    step(
      BackwardStep(
        kind: .pass, mask: 1 << index, index: index, view: view, role: .activations, bytes: 0,
        extra: output))
  }

  /// Backward writes the gradient of input `index` over saved tensor number `saved`, which is always saved.
  mutating func reuse(_ index: UInt8, saved: Int, view: Bool = true) {
    step(
      BackwardStep(
        kind: .reuse, mask: 1 << index, index: index, view: view, role: .activations, bytes: 0,
        extra: saved))
  }

  /// Backward allocates temporary number `index`, if the gradient of one of the inputs in `mask` is needed.
  mutating func temporary(
    _ index: UInt8, _ bytes: Int, for mask: UInt8 = .max, role: Role = .activations
  ) {
    step(
      BackwardStep(
        kind: .allocate, mask: mask, index: index, view: false, role: role, bytes: bytes))
  }

  /// Backward frees temporary number `index`.
  mutating func free(_ index: UInt8, for mask: UInt8 = .max) {
    step(
      BackwardStep(
        kind: .free, mask: mask, index: index, view: false, role: .activations, bytes: 0))
  }

  /// Backward hands temporary number `place` on as the gradient of input `index`: a view.
  mutating func share(_ index: UInt8, from place: UInt8) {
    step(
      BackwardStep(
        kind: .share, mask: 1 << index, index: index, view: true, role: .activations, bytes: 0,
        extra: Int(place)))
  }

  /// The operator has returned; what follows happens in autograd's validation of its results.
  mutating func settle() {
    step(
      BackwardStep(
        kind: .settle, mask: .max, index: 0, view: false, role: .activations, bytes: 0))
  }

  /// Validation sums the gradient of input `index` down to the shape of the input.
  mutating func reduce(_ index: UInt8, to spec: TensorSpec, workspace: Int = 0, role: Role) {
    step(
      BackwardStep(
        kind: .reduce, mask: 1 << index, index: index, view: false, role: role,
        bytes: spec.bytes, extra: workspace))
  }

  /// The gradient of input `index` is copied into `spec`'s format or layout.
  mutating func convert(_ index: UInt8, to spec: TensorSpec, role: Role = .activations) {
    step(
      BackwardStep(
        kind: .convert, mask: 1 << index, index: index, view: false, role: role,
        bytes: spec.bytes))
  }

  private mutating func step(_ step: BackwardStep) {
    var step = step
    step.wrapped = wrapsTensors
    program.steps.append(step)
  }

  /// What the operation exchanges with other devices, forward and backward.
  mutating func exchange(_ forward: Exchange?, backward: Exchange?) {
    (current.exchange, current.backwardExchange) = (forward, backward)
  }

  /// Ends an operation with one new tensor as its result.
  mutating func end(_ spec: TensorSpec, saving mask: UInt8 = 0, role: Role = .activations) -> Value
  {
    let output = register(spec)
    record()
    allocate(output, role: role)
    link(output, saving: mask)
    return output
  }

  /// Ends an operation whose result is another name of input `source`'s memory.
  mutating func endView(_ spec: TensorSpec, of source: Value) -> Value {
    let output = register(spec)
    record()
    emit(Instruction(code: .alias, a: output.register, b: source.register))
    link(output, saving: 0)
    return output
  }

  /// Ends an operation whose two results are views of input `source`'s memory.
  mutating func endViews(_ first: TensorSpec, _ second: TensorSpec, of source: Value)
    -> (Value, Value)
  {
    let outputs = (register(first), register(second))
    record()
    for output in [outputs.0, outputs.1] {
      emit(Instruction(code: .alias, a: output.register, b: source.register))
    }
    let saves = program.saves.count
    finish(outputs.0, outputs.1, savedOutputs: saves..<saves)
    return outputs
  }

  /// Ends an operation whose results are three parts of input `source`'s memory.
  mutating func endViews(_ a: TensorSpec, _ b: TensorSpec, _ c: TensorSpec, of source: Value)
    -> (Value, Value, Value)
  {
    let (a, b, c) = (register(a), register(b), register(c))
    record()
    emit(Instruction(code: .alias, a: a.register, b: source.register))
    emit(Instruction(code: .alias, a: b.register, b: source.register))
    emit(Instruction(code: .alias, a: c.register, b: source.register))
    let saves = program.saves.count
    finish(a, b, c, savedOutputs: saves..<saves)
    return (a, b, c)
  }

  /// Autograd records the operation: saved inputs are packed before it runs.
  mutating func record() {
    emit(Instruction(code: .record, a: -1, b: Int32(program.operations.count)))
  }

  /// The forward allocates `value`; `forGradient` only where autograd records the operation.
  mutating func allocate(
    _ value: Value, role: Role = .activations, forGradient: Bool = false
  ) {
    emit(
      Instruction(
        code: forGradient ? .allocateForGradient : .allocate, role: role, a: value.register,
        b: Int32(program.operations.count), bytes: value.spec.bytes))
  }

  /// Ends an operation: its output joins the graph, its temporaries among the inputs die.
  mutating func link(_ output: Value, saving mask: UInt8 = 0) {
    let saves = program.saves.count
    if mask != 0 { program.saves.append(Save(output, mask: mask)) }
    finish(output, savedOutputs: saves..<program.saves.count)
  }

  /// As ``link(_:saving:)``, with further tensors that the operation makes and saves for backward.
  mutating func link(_ output: Value, saving mask: UInt8, and extras: [Value]) {
    let saves = program.saves.count
    if mask != 0 { program.saves.append(Save(output, mask: mask)) }
    for extra in extras { program.saves.append(Save(extra, mask: .max)) }
    finish(output, savedOutputs: saves..<program.saves.count)
    for extra in extras { consume(extra) }
  }

  /// As ``link(_:saving:)``, with a second result that it saves for backward and the caller keeps.
  mutating func link(_ output: Value, saving mask: UInt8 = 0, alsoSaving other: Value) {
    let saves = program.saves.count
    if mask != 0 { program.saves.append(Save(output, mask: mask)) }
    program.saves.append(Save(other, mask: .max))
    finish(output, savedOutputs: saves..<program.saves.count)
  }

  /// As ``link(_:saving:)``, with one or two further tensors that the operation makes and saves for backward.
  mutating func link(_ output: Value, and first: Value, _ second: Value? = nil) {
    let saves = program.saves.count
    program.saves.append(Save(first, mask: .max))
    if let second { program.saves.append(Save(second, mask: .max)) }
    finish(output, savedOutputs: saves..<program.saves.count)
    consume(first)
    if let second { consume(second) }
  }

  /// As ``link(_:saving:)`` of a function written by hand: saves what it is told once it ran, and `extra` last.
  mutating func link(_ output: Value, keeping saved: [Value], and extra: Value? = nil) {
    let saves = program.saves.count
    for value in saved { program.saves.append(Save(value, mask: .max)) }
    if let extra { program.saves.append(Save(extra, mask: .max)) }
    finish(output, savedOutputs: saves..<program.saves.count)
    if let extra { consume(extra) }
  }

  /// As ``link(_:keeping:and:)``, with further tensors that it makes.
  ///
  /// - Parameter transposed: Whether what `saved` names lies in another order in memory than its shape.
  mutating func link(
    _ output: Value, keeping saved: [Value], and extras: [Value], transposed: Bool
  ) {
    let saves = program.saves.count
    for value in saved {
      var save = Save(value, mask: .max)
      save.isTransposed = transposed
      program.saves.append(save)
    }
    for extra in extras { program.saves.append(Save(extra, mask: .max)) }
    finish(output, savedOutputs: saves..<program.saves.count)
    for extra in extras { consume(extra) }
  }

  /// As ``link(_:saving:)``, with tensors that the operation makes and saves before and after its output.
  ///
  /// - Parameter transposed: Whether the output lies in another order in memory than its shape.
  mutating func link(
    _ output: Value, after first: Value, and extras: [Value], transposed: Bool
  ) {
    let saves = program.saves.count
    program.saves.append(Save(first, mask: .max))
    var save = Save(output, mask: .max)
    save.isTransposed = transposed
    program.saves.append(save)
    for extra in extras { program.saves.append(Save(extra, mask: .max)) }
    finish(output, savedOutputs: saves..<program.saves.count)
    consume(first)
    for extra in extras { consume(extra) }
  }

  /// Ends an operation that changes both its inputs in place, and saves what it is told once it ran.
  mutating func endViews(of a: Value, _ b: Value, keeping saved: [Value]) -> (Value, Value) {
    let outputs = (register(a.spec), register(b.spec))
    record()
    emit(Instruction(code: .alias, a: outputs.0.register, b: a.register))
    emit(Instruction(code: .alias, a: outputs.1.register, b: b.register))
    let saves = program.saves.count
    for value in saved { program.saves.append(Save(value, mask: .max)) }
    finish(outputs.0, outputs.1, savedOutputs: saves..<program.saves.count)
    return outputs
  }

  private mutating func finish(
    _ output: Value, _ second: Value? = nil, _ third: Value? = nil, savedOutputs: Range<Int>
  ) {
    let registers = program.registers.count
    program.registers.append(output.register)
    if let second { program.registers.append(second.register) }
    if let third { program.registers.append(third.register) }
    current.outputs = registers..<program.registers.count
    current.savedOutputs = savedOutputs
    current.steps = current.steps.lowerBound..<program.steps.count
    timeBackward()
    emit(Instruction(code: .link, a: output.register, b: Int32(program.operations.count)))
    program.operations.append(current)
    var seen: (Int32, Int32) = (-1, -1)
    for index in current.inputs {
      let register = program.registers[index]
      if holds[Int(register)] == 0, register != seen.0, register != seen.1 {
        release(register)
        seen = (register, seen.0)
      }
    }
  }

  /// A tensor that autograd knows nothing of: masks, tables, indices.
  mutating func plain(_ name: StaticString, _ spec: TensorSpec, role: Role = .other) -> Value {
    let output = register(spec)
    program.operations.append(Operation(name: name, module: module))
    emit(
      Instruction(
        code: .allocate, role: role, a: output.register,
        b: Int32(program.operations.count - 1), bytes: spec.bytes))
    return output
  }

  /// The operation being written keeps `value` beside what autograd saves, for as long as the graph lives.
  mutating func hold(_ value: Value) {
    emit(Instruction(code: .hold, a: value.register, b: Int32(program.operations.count)))
  }

  /// Autocast keeps this tensor until its region ends.
  mutating func cache(_ value: Value) { emit(Instruction(code: .cache, a: value.register)) }

  /// Makes a tensor a leaf that wants a gradient.
  mutating func require(_ value: Value) {
    emit(Instruction(code: .require, a: value.register, b: program.requirements))
    program.requirements += 1
  }
}
