/// The number formats of what ZeRO keeps: DeepSpeed's sections `bf16`, `data_types` and `torch_autocast`.
///
/// Source: `get_data_types` in `deepspeed/runtime/engine.py`, `_configure_master_weights` in
/// `deepspeed/runtime/base_optimizer.py`, DeepSpeed 0.19.8.
struct ZeroFormats: Hashable, Sendable {
  /// Of the model's parameters and of the gradients that autograd makes.
  let model: DType
  /// That gradients of linear layers are exchanged in, under autocast.
  let products: DType?
  /// That all gradients are exchanged in where devices share sequences: fp32; else `nil`.
  ///
  /// Source: `seq_parallel_communication_data_type` in `deepspeed/runtime/constants.py` and `engine.py`.
  let reduction: DType?
  /// Of the weights and gradients that the optimizer sees.
  let master: DType
  /// Of the optimizer's states on the host; on the device they are like the weights that it sees.
  let hostStates: DType
  /// Of the gradients of micro-batches as they add up (`grad_accum_dtype`).
  let accumulation: DType

  /// As the settings say it, of a plan's model.
  init(_ settings: Zero, _ plan: TrainingPlan) {
    let context = plan.context
    model = context.dtype
    reduction = plan.mesh.exchangesHeads ? .fp32 : nil
    products = context.autocast
    master = settings.lowPrecisionMaster ? .bf16 : .fp32
    hostStates = settings.lowPrecisionStates ? .bf16 : .fp32
    accumulation = settings.accumulation ?? context.dtype
  }

  /// The format that a parameter's gradient is exchanged in.
  ///
  /// Source: `init_autocast_params` in `deepspeed/runtime/torch_autocast.py`: of modules whose class is `nn.Linear`.
  func exchange(_ parameter: ZeroParameters.Parameter) -> DType {
    reduction ?? (parameter.isLinear ? products ?? model : model)
  }

  /// Bytes of an element of a parameter while it is gathered.
  ///
  /// Source: `get_allgather_dtype` in `deepspeed/runtime/zero/partition_parameters.py`.
  func gatheredSize(_ parameter: ZeroParameters.Parameter) -> Int {
    guard parameter.isLinear, parameter.size > 1, let products else { return parameter.size }
    return products.size
  }

  /// All formats that gradients are exchanged in, in the order of their names in torch, by which their buckets are reduced.
  func exchanged(_ parameters: [ZeroParameters.Parameter]) -> [DType] {
    let order: [DType] = [.bf16, .fp16, .fp32]
    return order.filter { format in
      parameters.contains { $0.trainable && exchange($0) == format }
    }
  }

  /// Whether micro-batches add up in a wider format than the model's.
  var accumulatesWider: Bool { accumulation != model }
}
