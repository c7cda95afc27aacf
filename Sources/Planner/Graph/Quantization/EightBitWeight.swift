/// A weight of 8-bit integers with one fp32 scale for each row: `int8`, without outlier columns.
///
/// The input is quantized row by row and the product is made in 32-bit integers. The module's autograd function keeps
/// the input as a plain attribute: checkpoints do not drop it, and it lives as long as the graph.
///
/// Source: `Linear8bitLt` in `bitsandbytes/nn/modules.py`, `MatMul8bitLt` in `autograd/_functions.py`,
/// `int8_vectorwise_quant` and `int8_mm_dequant` in `backends/cuda/ops.py`, bitsandbytes 0.50.
struct EightBitWeight: QuantizedWeight {
  /// The format of activations.
  let format: DType

  var shared: [Int] { [] }
  var biasFormat: DType { format }
  var adapterFormat: DType { .fp32 }
  var clonesResult: Bool { false }

  func tensors(of weight: TensorSpec) throws(PlanError) -> [Int] {
    [weight.elements, try TensorSpec(weight.rows, 1, .fp32).bytes]
  }

  /// The weight in 16 bits.
  func loading(of weight: TensorSpec) throws(PlanError) -> [Int] { [weight.cast(to: .fp16).bytes] }

  /// The weight as it was, and a copy in fp16 (`Int8Params._quantize`).
  func loadedWhole(_ weight: TensorSpec) -> Int {
    weight.cast(to: format).bytes &+ (format == .fp16 ? 0 : weight.cast(to: .fp16).bytes)
  }

  func dequantized(_ weight: Parameter, in f: inout Forward) throws(PlanError) -> Value {
    let spec = weight.value.spec.cast(to: .fp32)
    let scaled = f.plain("int8_vectorwise_dequant", spec, role: .activations)
    let output = f.plain("int8_vectorwise_dequant", spec, role: .activations)
    f.discard(scaled)
    return output
  }

  func product(_ x: Value, _ linear: Linear, in f: inout Forward) throws(PlanError) -> Value {
    let weight = linear.weight.value.spec.cast(to: x.spec.dtype)
    let spec = try TensorSpec(x.spec.rows, weight.rows, x.spec.dtype)
    let flops = try checkedProduct(2, x.spec.rows, x.spec.columns, weight.rows)
    f.enter(linear.module, holding: x)
    f.begin("int8_scaled_mm", module: linear.module, x)
    f.work(flops: flops, bytes: x.spec.bytes + weight.elements + spec.bytes, dtype: .fp16)
    f.current.time.add(f.context.kernels.time(moving: 3 &* x.spec.bytes &+ 6 &* spec.elements))
    f.temporary(0, weight.bytes)
    f.temporary(1, try TensorSpec(weight.rows, 1, .fp32).bytes)
    f.free(1)
    f.gradient(0, x.spec, view: true, flops: flops)
    f.free(0)
    f.record()
    func make(_ spec: TensorSpec, _ f: inout Forward) -> Value {
      let value = f.register(spec)
      f.allocate(value)
      return value
    }
    let halves = x.spec.dtype == .fp16 ? nil : make(x.spec.cast(to: .fp16), &f)
    let scales = make(x.spec.perRow.cast(to: .fp32), &f)
    let integers = make(x.spec.cast(to: .bool), &f)
    if let halves { f.discard(halves) }
    let sums = make(spec.cast(to: .fp32), &f)
    var output = make(spec.cast(to: .fp16), &f)
    if spec.dtype != .fp16 {
      let wide = make(spec, &f)
      f.discard(output)
      output = wide
    }
    f.discard(sums)
    f.discard(integers)
    f.discard(scales)
    f.hold(x)
    f.link(output)
    return f.leave(output)
  }
}
