import Planner

/// The terms that `plan explain` knows.
enum Glossary {
  /// A term with its explanation.
  struct Term: Sendable {
    let name: String
    let text: String

    /// Its first sentence, without the full stop.
    var short: String { String(text.prefix { $0 != "." && $0 != ";" }) }
  }

  /// How terms are compared: without case, hyphens for spaces and underscores.
  static func key(_ name: String) -> String {
    String(name.lowercased().prefix(80).map { $0 == "_" || $0 == " " ? "-" : $0 })
  }

  /// What strategies and optimizers say about themselves.
  static var techniques: [(name: String, summary: String)] {
    Strategies.all.map { ($0.name, $0.summary) } + Optimizers.all.map { ($0.name, $0.summary) }
  }

  /// In alphabetical order.
  static let terms = [
    Term(
      name: "6ND",
      text:
        "Six operations for each parameter and token: the usual estimate of training. It leaves "
        + "attention out and takes every weight as trained; plans count exactly."),
    Term(
      name: "activations",
      text: "Tensors that the forward pass makes. Those that backward needs are saved until then; "
        + "their gradients count as activations too."),
    Term(
      name: "adapter",
      text:
        "Small trained weights beside a frozen projection (LoRA). Gradients and optimizer states "
        + "exist for the adapter alone; activations stay."),
    Term(
      name: "allocated",
      text: "Live tensors, each rounded up to the allocator's 512 bytes. It is what "
        + "torch.cuda.max_memory_allocated() says."),
    Term(
      name: "autocast",
      text: "Weights in fp32, matrix products in 16 bits on casts that PyTorch makes as it goes. "
        + "The cast of a trained weight is kept until the forward is over."),
    Term(
      name: "break-even",
      text:
        "Hours of work after which bought hardware has cost less than renting it: its price over "
        + "what an hour of renting costs beyond electricity."),
    Term(
      name: "capacity",
      text: "What the device offers to a process. It is less than the marketing figure."),
    Term(
      name: "checkpoint",
      text:
        "A layer that keeps its input alone. Backward runs the layer again first: see recompute."),
    Term(
      name: "compile",
      text:
        "torch.compile, which is not modelled. Compiled steps fuse operations and often need less "
        + "memory, but not always: plans are of the eager step."),
    Term(
      name: "context",
      text: "What CUDA takes on the device before PyTorch allocates anything. 520 MiB are counted."),
    Term(
      name: "device memory",
      text: "Reserved memory and the CUDA context together. That is what has to fit."),
    Term(
      name: "foreach",
      text: "An optimizer that runs each operation over all weights at once, PyTorch's default. "
        + "AdamW then makes one temporary as large as all trained weights."),
    Term(
      name: "fragmentation",
      text:
        "Memory that the allocator holds but cannot hand out in one piece. The plan allows for it "
        + "on top of what passes through memory."),
    Term(
      name: "gradient accumulation",
      text:
        "Several micro-batches before the optimizer steps. Gradients stay between them; activations "
        + "are those of one micro-batch."),
    Term(
      name: "hfu",
      text:
        "Hardware FLOPs utilization: everything that a step computes, recomputation included, as a share of the "
        + "device's dense peak over the step's time."),
    Term(
      name: "live",
      text: "Bytes of tensors that exist at one moment, as they were asked for."),
    Term(
      name: "loading",
      text:
        "What is on the device while a checkpoint is quantized weight by weight. It is the weights "
        + "so far and one of them in 16 bits."),
    Term(
      name: "mfu",
      text:
        "Model FLOPs utilization: a step's matrix products and attention, nothing counted twice, as a share of the "
        + "device's dense peak over the step's time. Half of the square counts under a causal mask; formulas that "
        + "count all of it give more."),
    Term(
      name: "micro-batch",
      text: "The sequences that go through the model in one forward pass on one device."),
    Term(
      name: "min cut",
      text:
        "What torch.compile's partitioner keeps of a layer from forward to backward (min_cut, with memory_budget from "
        + "0 to 1 as activation_memory_budget): the fewest bytes that spare backward what it must not run again. The "
        + "plan runs it operator by operator, as the aot_eager backend does; fused kernels are not modelled."
    ),
    Term(
      name: "optimizer state",
      text:
        "What the optimizer keeps for each trained weight from step to step. AdamW keeps two moments."
    ),
    Term(
      name: "packing",
      text:
        "Several documents in one sequence. It takes what one sequence of that length takes when a "
        + "flash kernel reads the boundaries; sdpa makes a mask of tokens by tokens instead."),
    Term(
      name: "peak",
      text: "The moment of the step at which most is live, with its phase and operation."),
    Term(
      name: "phase",
      text: "Forward, backward or optimizer. Each has a peak of its own."),
    Term(
      name: "pipeline",
      text:
        "Ranks that share the layers and hand activations on (pipeline_parallel: degree, schedule, "
        + "virtual_stages, layers). Schedules: \(PipelineParallel.schedules). Micro-batches are the "
        + "accumulation steps; those in flight wait for their backward, the bubble is the time in "
        + "which a rank waits for others."),
    Term(
      name: "recompute",
      text:
        "Forward work done again in backward because its results were not kept. It is given relative "
        + "to the same step without it."),
    Term(
      name: "reserved",
      text: "What PyTorch's caching allocator holds from the driver, in use or not."),
    Term(
      name: "roofline",
      text:
        "A kernel takes the longer of its FLOPs at the device's matrix rate and its bytes at the memory's bandwidth. "
        + "Times here take both at the share that such devices were seen to reach: see Documentation/Time.md."
    ),
    Term(
      name: "shard",
      text: "One device's part of a weight, gradient or state that several devices hold together."),
    Term(
      name: "step",
      text:
        "All micro-batches and one update of the weights. The second step is planned: the optimizer's "
        + "states exist by then."),
    Term(
      name: "workspace",
      text: "Memory that kernels and libraries take for themselves: cuBLAS, reductions, attention."),
  ]
}
