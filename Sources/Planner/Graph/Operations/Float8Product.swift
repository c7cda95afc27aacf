/// Linear layers that multiply in 8-bit floating point, with one scale per tensor made anew each time (torchao).
///
/// The input and the weight are saved as they are, and cast again in backward, the incoming gradient twice. Each cast
/// passes through fp32. cuBLAS takes rows times columns only, so backward copies three of its four operands.
///
/// Source: `matmul_with_hp_or_float8_args` in `torchao/float8/float8_linear.py`, `tensor_to_scale` and
/// `to_fp8_saturated` in `float8_utils.py`, `preprocess_addmm` in `float8_ops.py`, torchao 0.18.
extension Forward {
  /// Whether a projection is one of those: an `nn.Linear` whose sizes are multiples of 16, as the kernel wants them.
  func multipliesInFloat8(_ linear: Linear) -> Bool {
    context.float8 && linear.form != .addmm && linear.input % 16 == 0 && linear.output % 16 == 0
  }

  /// Runs `Float8Linear`: autocast's cast of the input, the product, and the bias added to it.
  mutating func float8Product(_ x: Value, _ linear: Linear) throws(PlanError) -> Value {
    guard x.spec.rows % 16 == 0 else { throw .oddTokens(x.spec.rows) }
    enter(linear.module, holding: x)
    let input = local(castForProduct(x))
    let product = try scaledProduct(input, linear)
    guard let bias = linear.bias else { return leave(product) }
    let output = local(product)
    let cast = castForProduct(bias, keeps: false)
    return leave(local(try add(output, cast), replacing: output))
  }

  private mutating func scaledProduct(_ x: Value, _ linear: Linear) throws(PlanError) -> Value {
    let (input, weight) = (x.spec, linear.weight.value.spec)
    markMultiplied(linear.weight)
    program.multipliesInFloat8 = true
    let spec = try TensorSpec(input.rows, weight.rows, input.dtype)
    let flops = try checkedProduct(2, input.rows, input.columns, weight.rows)
    begin("scaled_mm", module: linear.module, x, linear.weight.value)
    save(x, for: 0b11)
    save(linear.weight.value, for: 0b11)
    // 8-bit products run at twice the 16-bit rate on every device that has them. Both operands are cast: each is read
    // for its greatest value, scaled and clamped in fp32, and written in 8 bits.
    work(
      flops: flops, bytes: input.bytes + weight.bytes + spec.bytes, dtype: spec.dtype, speed: 2,
      alsoMoving: 5 &* (input.bytes &+ weight.bytes))
    float8Backward(input, weight, spec, flops: flops)
    record()
    let left = try float8Cast(input)
    let right = try float8Cast(weight, transposed: true)
    let scales = [try scratch(1, .fp32), try scratch(1, .fp32)]
    let output = register(spec)
    allocate(output)
    for value in scales + right + left { discard(value) }
    link(output)
    return output
  }

  /// The bits and the scale of a tensor, through its absolute values and a scaled and a clamped copy in fp32.
  ///
  /// The greatest of a transposed tensor is found in a copy of it.
  private mutating func float8Cast(_ spec: TensorSpec, transposed: Bool = false) throws(PlanError)
    -> [Value]
  {
    let absolute = try scratch(spec.elements, spec.dtype)
    let greatest = try scratch(1, spec.dtype)
    if transposed { discard(try scratch(spec.elements, spec.dtype)) }
    discard(absolute)
    let scale = try scratch(1, .fp32)
    discard(greatest)
    let wide = spec.dtype == .fp32 ? nil : try scratch(spec.elements, .fp32)
    let scaled = try scratch(spec.elements, .fp32)
    if let wide { discard(wide) }
    let clamped = try scratch(spec.elements, .fp32)
    let bits = try scratch(spec.elements, .uint8)
    discard(clamped)
    discard(scaled)
    return [bits, scale]
  }

  private mutating func scratch(_ elements: Int, _ dtype: DType) throws(PlanError) -> Value {
    let value = register(try TensorSpec(1, elements, dtype))
    allocate(value, role: .workspace)
    return value
  }

  /// Temporaries 0 to 3 are those of a cast; bits and scales follow in pairs, then the operands' copies.
  private mutating func float8Backward(
    _ input: TensorSpec, _ weight: TensorSpec, _ output: TensorSpec, flops: Int
  ) {
    float8Cast(output, bits: 4)
    float8Cast(weight, bits: 6, transposed: true)
    temporary(12, weight.elements, role: .workspace)
    gradient(0, input, view: true, flops: flops)
    free(12)
    float8Cast(output, bits: 8)
    float8Cast(input, bits: 10)
    temporary(12, output.elements, role: .workspace)
    temporary(13, input.elements, role: .workspace)
    gradient(1, weight.cast(to: input.dtype), view: true, role: .gradients, flops: flops)
    for index in [12, 13, 4, 5, 6, 7, 8, 9, 10, 11] as [UInt8] { free(index) }
    settle()
    if weight.dtype != input.dtype { convert(1, to: weight, role: .gradients) }
  }

  private mutating func float8Cast(_ spec: TensorSpec, bits: UInt8, transposed: Bool = false) {
    let wide = spec.cast(to: .fp32).bytes
    temporary(0, spec.bytes, role: .workspace)
    if transposed {
      temporary(1, spec.bytes, role: .workspace)
      free(1)
    }
    free(0)
    temporary(bits + 1, 4, role: .workspace)
    if spec.dtype != .fp32 { temporary(0, wide, role: .workspace) }
    temporary(1, wide, role: .workspace)
    if spec.dtype != .fp32 { free(0) }
    temporary(2, wide, role: .workspace)
    temporary(bits, spec.elements, role: .workspace)
    free(2)
    free(1)
  }
}

extension PlanError {
  fileprivate static func oddTokens(_ tokens: Int) -> Self {
    Self(
      .unsupported, "8-bit products need a multiple of 16 tokens, not \(tokens)",
      path: "workload.sequence_length",
      fix: "Make micro_batch_size times sequence_length a multiple of 16, or use \"bf16-mixed\".")
  }
}
