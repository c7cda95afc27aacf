/// A weight of 4 bits an element, in blocks of 64 with one scale each: `nf4` and `fp4`, which differ in values alone.
///
/// Doubly quantized, the scales are 8-bit in blocks of 256, with one fp32 scale each, an offset and a code table.
/// Where no fused kernel takes the product, the forward makes the whole weight in 16 bits, and so does every backward.
///
/// Source: `quantize_4bit` in `bitsandbytes/functional.py`, `Linear4bit` in `nn/modules.py`, `MatMul4Bit` in
/// `autograd/_functions.py`, `gemm_4bit` in `backends/cuda/ops.py`, bitsandbytes 0.50.
struct FourBitWeight: QuantizedWeight {
  /// Whether the scales are quantized too.
  let doublyQuantized: Bool
  /// The format of products, and of the weight before it was quantized.
  let format: DType

  var shared: [Int] { doublyQuantized ? [Self.table] : [] }
  var biasFormat: DType { format }
  var adapterFormat: DType { format }
  var clonesResult: Bool { true }

  /// The 256 values of the 8-bit scales.
  private static let table = 256 * 4
  /// The 16 values of an element.
  private static let code = 16 * 4

  func tensors(of weight: TensorSpec) throws(PlanError) -> [Int] {
    let blocks = Self.blocks(of: weight)
    let packed = weight.elements / 2 + weight.elements % 2
    guard doublyQuantized else { return [packed, 4 &* blocks, Self.code] }
    let groups = blocks / 256 + (blocks % 256 == 0 ? 0 : 1)
    return [packed, blocks, 4 &* groups, 4, Self.table, Self.code]
  }

  /// The weight in 16 bits; the scales in fp32, and where they are quantized too their distance from the mean.
  func loading(of weight: TensorSpec) throws(PlanError) -> [Int] {
    let whole = weight.cast(to: format).bytes
    let scales = 4 &* Self.blocks(of: weight)
    return doublyQuantized ? [whole, scales, scales] : [whole]
  }

  /// The weight as it was, and the scales in fp32 with a copy less their mean where they are quantized too.
  func loadedWhole(_ weight: TensorSpec) -> Int {
    weight.cast(to: format).bytes &+ (doublyQuantized ? 8 &* Self.blocks(of: weight) : 0)
  }

  private static func blocks(of weight: TensorSpec) -> Int {
    weight.elements / 64 + (weight.elements % 64 == 0 ? 0 : 1)
  }

  /// `x` is cast to the format of products and the result back, where they differ.
  func product(_ x: Value, _ linear: Linear, in f: inout Forward) throws(PlanError) -> Value {
    f.enter(linear.module, holding: x)
    let input = f.local(f.cast(x, to: format))
    return f.leave(f.cast(try multiply(input, linear, in: &f), to: x.spec.dtype))
  }

  func dequantized(_ weight: Parameter, in f: inout Forward) throws(PlanError) -> Value {
    let spec = weight.value.spec.cast(to: format)
    guard doublyQuantized else { return f.plain("dequantize_4bit", spec, role: .activations) }
    let scales = try TensorSpec(1, Self.blocks(of: spec), .fp32)
    let wide = f.plain("dequantize_blockwise", scales, role: .activations)
    let output = f.plain("dequantize_4bit", spec, role: .activations)
    f.discard(wide)
    return output
  }

  private func multiply(_ x: Value, _ linear: Linear, in f: inout Forward) throws(PlanError)
    -> Value
  {
    let weight = linear.weight.value.spec.cast(to: format)
    let scales = try TensorSpec(1, Self.blocks(of: weight), .fp32)
    let spec = try TensorSpec(x.spec.rows, weight.rows, format)
    let flops = try checkedProduct(2, x.spec.rows, x.spec.columns, weight.rows)
    f.begin("gemm_4bit", module: linear.module, x, linear.weight.value, linear.bias?.value)
    // The weight is made in 16 bits from 4 first, except in a product of few rows.
    f.work(flops: flops, bytes: x.spec.bytes + weight.bytes + spec.bytes, dtype: spec.dtype)
    f.current.time.add(f.context.kernels.time(moving: weight.bytes &+ weight.bytes / 4))
    if doublyQuantized { f.temporary(0, scales.bytes) }
    f.temporary(1, weight.bytes)
    if doublyQuantized { f.free(0) }
    f.gradient(0, x.spec, flops: flops)
    f.free(1)
    f.record()
    let output = f.register(spec)
    let fused = FourBitKernel.fuses(
      rows: spec.rows, outputs: spec.columns, inputs: x.spec.columns, dtype: format,
      on: f.context.kernels)
    guard !fused else {
      f.allocate(output)
      f.link(output)
      return output
    }
    if linear.bias != nil { f.program.addsBias = true }
    var made: [Value] = []
    if doublyQuantized { made += [f.register(scales), f.register(scales)] }
    made.append(f.register(weight))
    for value in made { f.allocate(value) }
    f.allocate(output)
    for value in made { f.discard(value) }
    f.link(output)
    return output
  }
}
