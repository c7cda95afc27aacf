/// What is on the device while a checkpoint loads and is quantized on the way.
///
/// The loader takes one weight after the other to the device in the format of products, quantizes it there and
/// frees it. The highest point is no later than the last quantized weight, with all others in place: that bound is
/// given, whatever the order of the files.
///
/// Source: `convert_and_load_state_dict_in_model` in `transformers/core_model_loading.py`, which loads without
/// threads where it quantizes, and `Bnb4bitQuantize`, `Bnb8bitQuantize` in `transformers/integrations/bitsandbytes.py`,
/// transformers 5.17; `quantize_4bit` in `bitsandbytes/backends/cuda/ops.py` and `functional.py`, bitsandbytes 0.50.
struct LoadingPeak {
  /// The bytes at the highest point, at most.
  let live: Bytes
  /// The part of them that passes.
  let passing: Bytes

  /// Of a model's weights; `nil` where nothing is quantized while it loads.
  init?(_ weights: [TrainingStep.Weight], _ context: ForwardContext) throws(PlanError) {
    guard let quantization = context.quantization else { return nil }
    var (resident, largest) = (Bytes.zero, 0)
    for weight in weights where !weight.trainable {
      let held = weight.tensors.reduce(0, +)
      resident = try resident + Bytes(try checkedProduct(held, weight.count, 1))
      guard weight.tensors.count > 1, weight.count > 0 else { continue }
      largest = max(largest, quantization.loadedWhole(weight.spec))
    }
    live = try resident + Bytes(largest)
    passing = Bytes(largest)
  }
}
