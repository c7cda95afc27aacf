/// How a frozen projection keeps its weight in few bits, and how it multiplies with it.
///
/// A format is one file in this folder. `nn.Linear` and `Conv1D` modules of the layers are replaced, heads and
/// embeddings are not.
///
/// Source: `replace_with_bnb_linear` in `transformers/integrations/bitsandbytes.py`, transformers 5.17.
protocol QuantizedWeight: Sendable {
  /// The bytes of each tensor that holds a weight of this shape.
  func tensors(of weight: TensorSpec) throws(PlanError) -> [Int]
  /// The bytes of what is allocated on the device while a weight is quantized, and freed again.
  func loading(of weight: TensorSpec) throws(PlanError) -> [Int]
  /// The bytes beside them while a loader, which brings the weight to the device whole, quantizes it there.
  func loadedWhole(_ weight: TensorSpec) -> Int
  /// The bytes of tensors that all weights of the model share.
  var shared: [Int] { get }
  /// The format of the projection's bias once the module has run.
  var biasFormat: DType { get }
  /// The format of an adapter that is not kept in fp32.
  var adapterFormat: DType { get }
  /// Whether an adapter copies the result before it adds its own.
  var clonesResult: Bool { get }
  /// Makes the whole weight again, outside autograd.
  func dequantized(_ weight: Parameter, in f: inout Forward) throws(PlanError) -> Value
  /// Runs the module: `x Wᵀ + b`.
  func product(_ x: Value, _ linear: Linear, in f: inout Forward) throws(PlanError) -> Value
}
