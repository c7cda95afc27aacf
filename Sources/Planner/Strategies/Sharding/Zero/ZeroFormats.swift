/// The number formats of what ZeRO keeps: DeepSpeed's sections `bf16`, `data_types` and `torch_autocast`.
///
/// Source: `get_data_types` in `deepspeed/runtime/engine.py`, `_configure_master_weights` in
/// `deepspeed/runtime/base_optimizer.py`, DeepSpeed 0.19.8.
struct ZeroFormats: Hashable, Sendable {
  /// Of the model's parameters and of the gradients that autograd makes.
  let model: DType
  /// Of the weights and gradients that the optimizer sees.
  let master: DType
  /// Of the optimizer's states on the host; on the device they are like the weights that it sees.
  let hostStates: DType
  /// Of the gradients of micro-batches as they add up (`grad_accum_dtype`).
  let accumulation: DType

  /// As the settings say it, of a model in the format `model`.
  init(_ settings: Zero, model: DType) {
    self.model = model
    master = settings.lowPrecisionMaster ? .bf16 : .fp32
    hostStates = settings.lowPrecisionStates ? .bf16 : .fp32
    accumulation = settings.accumulation ?? model
  }

  /// Whether micro-batches add up in a wider format than the model's.
  var accumulatesWider: Bool { accumulation != model }
}
