/// Writes a forward pass the way PyTorch's eager mode would run it.
///
/// A tensor lives as Python lets it live. The result of an operation is a *temporary*: the operation that uses it
/// frees it. ``local(_:)`` binds it to a name of the current frame, which keeps it until the name is bound again
/// or the frame returns. ``enter(_:holding:_:_:)`` opens a frame; arguments of a module call live until it returns.
///
///     forward.enter("mlp", holding: x)
///     let gate = try forward.silu(try forward.linear(x, gateProjection))
///     let up = try forward.linear(x, upProjection)
///     return forward.leave(try forward.linear(try forward.multiply(gate, up), downProjection))
struct Forward {
  /// What has been written.
  var program = Program()
  /// What decides how it is written.
  let context: ForwardContext
  /// The section being written.
  private(set) var section = 0
  /// Names that hold each register.
  var holds: ContiguousArray<Int32> = []
  /// The weight that each register is, or -1.
  var leafOf: ContiguousArray<Int32> = []
  private var locals: ContiguousArray<Int32> = []
  /// Whether the code being written works on `DTensor`s: gradients on their way are not added to in place.
  ///
  /// Source: `can_accumulate_inplace` in PyTorch's `torch/csrc/autograd/input_buffer.cpp`.
  var wrapsTensors = false
  /// The operation being written.
  var current = Operation(name: "", module: "")
  /// What that operation costs.
  var cost = OperationCost()
  private var frames: ContiguousArray<(start: Int, module: StaticString)> = []

  init(_ context: ForwardContext) {
    self.context = context
    program.operations.reserveCapacity(192)
    program.registers.reserveCapacity(512)
    program.saves.reserveCapacity(256)
    program.steps.reserveCapacity(768)
    holds.reserveCapacity(320)
    leafOf.reserveCapacity(320)
    program.sizes.reserveCapacity(320)
  }

  // MARK: Registers and names

  /// A register that no name holds yet.
  mutating func register(_ spec: TensorSpec) -> Value {
    let value = Value(register: program.registerCount, spec: spec)
    program.registerCount += 1
    holds.append(0)
    leafOf.append(-1)
    program.sizes.append(spec.bytes)
    return value
  }

  /// The bytes of a register's tensor.
  func outputBytes(_ register: Int32) -> Int { program.sizes[Int(register)] }

  /// Binds a temporary to a name of the current frame.
  mutating func local(_ value: Value) -> Value {
    holds[Int(value.register)] += 1
    locals.append(value.register)
    return value
  }

  /// Binds a name of the current frame again: what it was bound to may die.
  mutating func local(_ value: Value, replacing old: Value) -> Value {
    let value = local(value)
    if let start = frames.last?.start,
      let index = locals[start...].firstIndex(of: old.register)
    {
      locals.remove(at: index)
      drop(old.register)
    }
    return value
  }

  /// Unbinds a name of the current frame (`del`).
  mutating func forget(_ value: Value) {
    if let start = frames.last?.start,
      let index = locals[start...].lastIndex(of: value.register)
    {
      locals.remove(at: index)
      drop(value.register)
    }
  }

  /// Opens the frame of a module call, which holds its arguments until it returns.
  mutating func enter(
    _ module: StaticString, holding a: Value? = nil, _ b: Value? = nil, _ c: Value? = nil
  ) {
    frames.append((locals.count, module))
    for case let argument? in [a, b, c] { _ = local(argument) }
  }

  /// The operations since the number `first` are those of a module with weights of its own.
  mutating func span(_ kind: Program.Span.Kind, since first: Int) {
    program.spans.append(Program.Span(kind: kind, operations: first..<program.operations.count))
  }

  /// Returns from the current frame: its names die, its result becomes a temporary of the caller.
  mutating func leave(_ result: Value) -> Value {
    close(keeping: result.register, -1)
    return result
  }

  /// Returns two results from the current frame.
  mutating func leave(_ a: Value, _ b: Value) -> (Value, Value) {
    close(keeping: a.register, b.register)
    return (a, b)
  }

  /// Returns a layer's result with its attention weights, which the model holds until the next layer returned.
  mutating func leave(_ result: Value, keeping weights: Value?) -> Value {
    guard let weights else { return leave(result) }
    program.sections[section].kept = weights.register
    close(keeping: result.register, weights.register)
    return result
  }

  /// Returns three results from the current frame.
  mutating func leave(_ a: Value, _ b: Value, _ c: Value) -> (Value, Value, Value) {
    close(keeping: a.register, b.register, c.register)
    return (a, b, c)
  }

  private mutating func close(keeping a: Int32, _ b: Int32, _ c: Int32 = -1) {
    guard let frame = frames.popLast() else { return }
    while locals.count > frame.start {
      let register = locals.removeLast()
      holds[Int(register)] -= 1
      if holds[Int(register)] == 0, register != a, register != b, register != c {
        release(register)
      }
    }
  }

  private mutating func drop(_ register: Int32) {
    holds[Int(register)] -= 1
    if holds[Int(register)] == 0 { release(register) }
  }

  mutating func release(_ register: Int32) {
    emit(Instruction(code: .release, a: register))
  }

  /// Frees a temporary that nothing uses.
  mutating func discard(_ value: Value) { consume(value) }

  mutating func consume(_ value: Value) {
    if holds[Int(value.register)] == 0 { release(value.register) }
  }

  mutating func emit(_ instruction: Instruction) {
    program.sections[section].instructions.append(instruction)
  }

  /// The module whose frame is open.
  var module: StaticString { frames.last?.module ?? "model" }

  // MARK: Weights and sections

  /// Declares a weight of the section being written; the order is that of `model.parameters()`.
  ///
  /// `leading` is its first dimension where that is not its rows, or for a vector its columns; `whole` the elements
  /// of the whole weight where devices share it.
  mutating func parameter(
    _ name: StaticString, _ rows: Int, _ columns: Int, leading: Int? = nil, dtype: DType? = nil,
    trainable: Bool? = nil, quantized: (any QuantizedWeight)? = nil, whole: Int? = nil
  ) throws(PlanError) -> Parameter {
    let stored = dtype ?? context.storedFormat ?? context.dtype
    let spec = try TensorSpec(rows, columns, context.storedFormat == nil ? stored : context.dtype)
    let value = register(spec)
    holds[Int(value.register)] = 1
    leafOf[Int(value.register)] = Int32(program.leaves.count)
    let trainable = trainable ?? context.trainsBase
    program.leaves.append(
      .init(
        name: name, register: value.register, spec: spec,
        leading: leading ?? (rows > 1 ? rows : columns), stored: stored, trainable: trainable,
        tensors: try quantized?.tensors(of: spec) ?? [spec.bytes],
        loading: try quantized?.loading(of: spec) ?? [], whole: whole))
    return Parameter(name: name, value: value, trainable: trainable)
  }

  /// Says that a product takes a weight as `F.linear` does.
  mutating func markMultiplied(_ weight: Parameter) {
    let leaf = Int(leafOf[Int(weight.value.register)])
    if leaf >= 0 { program.leaves[leaf].isMultiplied = true }
  }

  /// Says that a weight's gradient is laid out over devices as the weight is not.
  mutating func markRedistributed(_ weight: Parameter) {
    let leaf = Int(leafOf[Int(weight.value.register)])
    if leaf >= 0 { program.leaves[leaf].redistributesGradient = true }
  }

  /// Says that rows of a weight are looked up.
  mutating func markTable(_ weight: Parameter) {
    let leaf = Int(leafOf[Int(weight.value.register)])
    if leaf >= 0 { program.leaves[leaf].isTable = true }
  }

  /// Says that a weight holds `count` matrices of equal size.
  mutating func stack(_ weight: Parameter, of count: Int) {
    let leaf = Int(leafOf[Int(weight.value.register)])
    if leaf >= 0 { program.leaves[leaf].matrices = count }
  }

  /// Says that a token is computed with `chosen` of the `count` matrices that make up a weight.
  mutating func route(_ weight: Parameter, to chosen: Int, of count: Int) {
    let leaf = Int(leafOf[Int(weight.value.register)])
    guard leaf >= 0, count > 0 else { return }
    let all = program.leaves[leaf].whole ?? weight.value.spec.elements
    program.leaves[leaf].active = all / count &* chosen
  }

  /// Writes the code of one distinct layer: from its residual stream to its residual stream.
  ///
  /// - Parameters:
  ///   - arguments: What it is called with by name.
  ///   - positional: What it is called with by position, besides the residual stream.
  /// - Returns: The section's number, for ``LayerGraph/pattern``.
  mutating func layer(
    _ name: StaticString, residual: TensorSpec, arguments: [Value], positional: [Value] = [],
    _ body: (inout Forward, Value) throws(PlanError) -> Value
  ) throws(PlanError) -> Int {
    let outer = section
    section = program.sections.count
    var new = Program.Section()
    new.name = name
    new.arguments = ContiguousArray((arguments + positional).map(\.register))
    new.positional = ContiguousArray(positional.map(\.register))
    program.sections.append(new)
    let firstLeaf = program.leaves.count
    let firstRegister = program.registerCount
    let input = register(residual)
    holds[Int(input.register)] = 1
    let output = try body(&self, input)
    program.sections[section].input = input.register
    program.sections[section].output = output.register
    program.sections[section].registers = firstRegister..<program.registerCount
    program.sections[section].leaves = firstLeaf..<program.leaves.count
    defer { section = outer }
    return section
  }

  /// Runs all layers of a stack over the residual stream: it is a local of the frame, bound again by each layer.
  mutating func layers(_ hidden: Value, of stack: UInt8 = 0) -> Value {
    emit(Instruction(code: .layers, stack: stack, a: hidden.register))
    return hidden
  }

  /// As ``layers(_:)``; what else a layer returned is a local of the frame too, if `section` keeps something.
  mutating func layers(_ hidden: Value, keeping section: Int) -> Value {
    guard program.sections[section].kept >= 0 else { return layers(hidden) }
    let kept = local(register(hidden.spec))
    emit(Instruction(code: .layers, a: hidden.register, b: kept.register))
    return hidden
  }

  /// Ends the model: the loss stays, and the logits and whatever else the output has where the caller holds it.
  mutating func finish(loss: Value, holding logits: Value?, _ other: Value? = nil) {
    let also = logits == nil ? -1 : other?.register ?? -1
    while !frames.isEmpty { close(keeping: loss.register, logits?.register ?? -1, also) }
    program.loss = loss.register
    program.heldOutput = logits?.register ?? -1
    program.alsoHeld = also
  }

  /// Another name for the same tensor.
  mutating func alias(_ value: Value) -> Value {
    let output = register(value.spec)
    emit(Instruction(code: .alias, a: output.register, b: value.register))
    return output
  }

  /// Another name for what a graph that never runs backward saves: it lives as long as that graph's result.
  ///
  /// A checkpoint's first run saves nothing, so there it names no memory.
  mutating func kept(_ value: Value) -> Value {
    let output = register(value.spec)
    emit(Instruction(code: .keep, a: output.register, b: value.register))
    return local(output)
  }
}
