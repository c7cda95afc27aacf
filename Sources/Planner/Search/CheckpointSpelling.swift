/// A checkpointing policy as the frameworks spell it.
///
/// Sources: `TrainingArguments` and `GradientCheckpointingLayer` of transformers 5.17;
/// `torch/distributed/algorithms/_checkpoint/checkpoint_wrapper.py`, PyTorch 2.11; `--recompute-granularity`,
/// `--recompute-method` and `--recompute-num-layers` in Megatron-LM's `megatron/training/arguments.py`; `mode` and
/// `selective_ac_option` in torchtitan's `torchtitan/distributed/activation_checkpoint.py`.
public enum CheckpointSpelling {
  /// One framework's way to say it; `nil` where it has none.
  public struct Setting: Hashable, Sendable {
    /// The framework.
    public let framework: String
    /// What to write there.
    public let text: String?
  }

  /// What to write for a policy in each framework.
  public static func settings(of checkpointing: ActivationCheckpointing) -> [Setting] {
    let text = texts(of: checkpointing.policy, reentrant: checkpointing.reentrant)
    return [
      Setting(framework: "transformers", text: text.transformers),
      Setting(framework: "torch", text: text.torch),
      Setting(framework: "megatron", text: text.megatron),
      Setting(framework: "torchtitan", text: text.torchtitan),
    ]
  }

  private typealias Texts = (
    transformers: String?, torch: String?, megatron: String?, torchtitan: String?
  )

  private static func texts(of policy: ActivationCheckpointing.Policy, reentrant: Bool) -> Texts {
    let implementation = reentrant ? "CheckpointImpl.REENTRANT" : "CheckpointImpl.NO_REENTRANT"
    func wrap(_ layers: String) -> String {
      "for i in \(layers): layers[i] = checkpoint_wrapper(layers[i], \(implementation))"
    }
    switch policy {
    case .none, .first(0):
      return (
        "gradient_checkpointing=False", "no checkpoint_wrapper", "no --recompute-granularity",
        "activation_checkpoint.mode=\"none\""
      )
    case .full, .every(1):
      return (
        "gradient_checkpointing=True"
          + ", gradient_checkpointing_kwargs={\"use_reentrant\": \(reentrant ? "True" : "False")}",
        wrap("range(len(layers))"),
        "--recompute-granularity full --recompute-method uniform --recompute-num-layers 1",
        "activation_checkpoint.mode=\"full\""
      )
    case .first(let count):
      return (
        "gradient_checkpointing=True, then for layer in model.model.layers[\(count):]: "
          + "layer.gradient_checkpointing = False",
        wrap("range(\(count))"),
        "--recompute-granularity full --recompute-method block --recompute-num-layers \(count)",
        nil
      )
    case .layers(let layers):
      return ("layer.gradient_checkpointing of \(layers)", wrap("\(layers)"), nil, nil)
    case .selective(let operations, let layers):
      let wrapper =
        "checkpoint_wrapper(layers[i], context_fn=partial(create_selective_checkpoint_contexts, "
        + "policy)) for i in range(\(layers.map { "\($0)" } ?? "len(layers)"))"
      return (
        nil, wrapper, nil,
        operations == .torchtitan && layers == nil
          ? "activation_checkpoint.mode=\"selective\", selective_ac_option=\"op\"" : nil
      )
    case .minCut(let budget, nil):
      return (
        nil,
        "torch._functorch.config.activation_memory_budget = \(budget), then for i in "
          + "range(len(layers)): layers[i].compile()", nil,
        "activation_checkpoint.mode=\"memory_budget\", memory_budget=\(budget), compile.enable"
      )
    case .auto, .mixed, .minCut: return (nil, nil, nil, nil)
    case .every(let interval):
      return (
        "gradient_checkpointing=True, then for i, layer in enumerate(model.model.layers): "
          + "layer.gradient_checkpointing = i % \(interval) == 0",
        wrap("range(0, len(layers), \(interval))"), nil,
        "activation_checkpoint.mode=\"selective\", selective_ac_option=\"\(interval)\" "
          + "(layers \(interval - 1), \(2 * interval - 1), …)"
      )
    }
  }
}
