/// How a framework keeps what the stages of a pipeline hand to each other.
struct PipelineTransport: Hashable, Sendable {
  /// Whether each micro-batch has buffers of its own for what it receives, which are made before the first step and
  /// stay; else every tensor is allocated as it arrives and dies with its micro-batch.
  var buffersEveryMicroBatch: Bool
  /// Whether a stage's output lives until its backward; else it dies once it was sent.
  var keepsOutputs: Bool
  /// Whether names of the loop hold the last output, and the last gradient that was sent, until there is another.
  var holdsLast: Bool
  /// Whether the token ids and labels of all micro-batches are there from the step's beginning.
  var loadsWholeBatch: Bool
  /// Whether a rank has one buffer for all that it receives, out of which each micro-batch copies, and buffers of the
  /// engine that hold the last stage's logits with the graphs behind them.
  var copiesFromBuffer = false

  /// `torch.distributed.pipelining`.
  ///
  /// Source: `PipelineStage._prepare_forward_infra` and `_create_grad_recv_info` (buffers), `forward_one_chunk`
  /// (`fwd_cache`) in `stage.py`, `Schedule1F1B._step_microbatches` (`output`, `bwd_sends`) and `_PipelineScheduleRuntime`
  /// in `schedules.py`, PyTorch 2.11.
  ///
  /// - Parameter isRuntime: Whether the schedule's actions run one by one in a function of their own, as those of
  ///   several stages on a rank do.
  static func torch(isRuntime: Bool) -> Self {
    Self(
      buffersEveryMicroBatch: true, keepsOutputs: true, holdsLast: !isRuntime,
      loadsWholeBatch: true)
  }

  /// DeepSpeed's `PipelineEngine`.
  ///
  /// What is received is copied out of the one buffer, and copied again for the forward pass; the first copy lives until
  /// its gradient was sent. The last stage's outputs are never let go: each lies in a slot of two until another takes
  /// it, and its graph keeps what came in and the gradient of that.
  ///
  /// Source: `_exec_recv_activations`, `_exec_forward_pass`, `_exec_backward_pass`, `_exec_send_grads` and
  /// `_allocate_or_extend_buffers` in `deepspeed/runtime/pipe/engine.py`, `TrainSchedule.num_pipe_buffers` in
  /// `schedule.py`, DeepSpeed 0.19.8.
  static let deepSpeed = Self(
    buffersEveryMicroBatch: false, keepsOutputs: true, holdsLast: false, loadsWholeBatch: false,
    copiesFromBuffer: true)

  /// Megatron's, with `deallocate_pipeline_outputs`.
  ///
  /// Source: `deallocate_output_tensor` and `forward_backward_pipelining_without_interleaving` in
  /// `megatron/core/pipeline_parallel/schedules.py`, `_communicate` in `p2p_communication.py`.
  static func megatron(isInterleaved: Bool) -> Self {
    Self(
      buffersEveryMicroBatch: false, keepsOutputs: false, holdsLast: !isInterleaved,
      loadsWholeBatch: false)
  }
}
