import Testing

@testable import Planner

@Suite("Refusing a scenario") struct ScenarioErrorTests {
  /// A change to the smallest scenario, and what is said of it.
  struct Mistake: Sendable, CustomTestStringConvertible {
    var testDescription: String { "\(error.path.prefix(40))" }
    let key: String
    let value: JSONValue
    let error: PlanError

    init(
      _ key: String, _ value: JSONValue, _ kind: PlanError.Kind, _ message: String, at path: String,
      fix: String
    ) {
      self.key = key
      self.value = value
      error = PlanError(kind, message, path: path, fix: fix)
    }
  }

  static let topLevel = [
    Mistake(
      "modle", "x", .unknown, "unknown key \"modle\"", at: "modle",
      fix: "Did you mean \"model\"?"),
    Mistake(
      "schema", 2, .unsupported, "expected schema 1, found 2", at: "schema",
      fix: "Write \"schema\": 1."),
    Mistake(
      "schema", "1", .unsupported, "expected schema 1, found the text \"1\"", at: "schema",
      fix: "Write \"schema\": 1."),
    Mistake(
      "name", 7, .invalid, "expected text in quotes, found 7", at: "name",
      fix: "Write text in quotes."),
    Mistake(
      "precision", "bf16", .unknown, "\"bf16\" is not known here", at: "precision",
      fix: "Use one of: 32-true, bf16-true, 16-true, bf16-mixed, 16-mixed, fp8-mixed."),
    Mistake(
      "precision", "fp8-true", .unsupported, "\"fp8-true\" cannot be planned yet",
      at: "precision", fix: "Use \"bf16-mixed\" or \"bf16-true\"."),
    Mistake(
      "attention", "flex_attention", .unsupported, "\"flex_attention\" cannot be planned yet",
      at: "attention",
      fix: "Use \"flash\" (FlashAttention 2), or \"sdpa\", which takes a flash kernel by itself."),
    Mistake(
      "attention", "spda", .unknown, "\"spda\" is not known here", at: "attention",
      fix: "Did you mean \"sdpa\"?"),
    Mistake(
      "kernels", "unsloth", .unknown, "\"unsloth\" is not known here", at: "kernels",
      fix: "Use one of: torch, liger."),
    Mistake(
      "framework", "megatron-deepspeed", .unknown, "\"megatron-deepspeed\" is not known here",
      at: "framework", fix: "Use one of: torch, megatron, deepspeed."),
    Mistake(
      "precision", 16, .invalid,
      "expected one of \"32-true\", \"bf16-true\", \"16-true\", \"bf16-mixed\", \"16-mixed\", "
        + "\"fp8-mixed\", found 16", at: "precision",
      fix: "Write one of \"32-true\", \"bf16-true\", \"16-true\", \"bf16-mixed\", \"16-mixed\", "
        + "\"fp8-mixed\"."),
    Mistake(
      "loss", ["implementation": "chunked", "chunks": 0], .invalid, "0 is out of range",
      at: "loss.chunks", fix: "Use a whole number from 1 to 256."),
    Mistake(
      "loss", ["implementation": "transformers-4"], .unknown,
      "\"transformers-4\" is not known here", at: "loss.implementation",
      fix: "Did you mean \"transformers\"?"),
    Mistake(
      "loss", ["implementation": "transformers", "chunks": 8], .conflict,
      "\"chunks\" says nothing here: it goes with \"implementation\": \"chunked\"",
      at: "loss.chunks", fix: "Leave it out, or add \"implementation\": \"chunked\"."),
    Mistake(
      "gradient_clipping", -1, .invalid, "-1 is out of range", at: "gradient_clipping",
      fix: "Use a number from 0.0001 to 1000000."),
    Mistake(
      "gradient_clipping", "off", .invalid, "expected a number, found the text \"off\"",
      at: "gradient_clipping", fix: "Write a number."),
    Mistake(
      "allocator", ["max_split_size": 1], .unknown, "unknown key \"max_split_size\"",
      at: "allocator.max_split_size", fix: "Did you mean \"max_split_size_mb\"?"),
    Mistake(
      "allocator", ["roundup_power2_divisions": 3], .invalid, "3 is not a power of two",
      at: "allocator.roundup_power2_divisions", fix: "Use 1, 2, 4, 8, 16, 32 or 64."),
  ]

  static let workloads = [
    Mistake(
      "workload", nil, .invalid, "\"workload\" is missing", at: "workload",
      fix: "Add \"workload\": { \"micro_batch_size\": 1, \"sequence_length\": 2048 }."),
    Mistake(
      "workload", [1], .invalid, "expected an object here, found a list", at: "workload",
      fix: "Write an object in braces: { … }."),
    Mistake(
      "workload", ["micro_batch": 1, "sequence_length": 8], .unknown,
      "unknown key \"micro_batch\"", at: "workload.micro_batch",
      fix:
        "Use one of: micro_batch_size, sequence_length, target_sequence_length, "
        + "gradient_accumulation_steps, keep_outputs, experts, packing."
    ),
    Mistake(
      "workload", ["micro_batch_size": 1, "sequence_lenght": 8], .unknown,
      "unknown key \"sequence_lenght\"", at: "workload.sequence_lenght",
      fix: "Did you mean \"sequence_length\"?"),
    Mistake(
      "workload", ["sequence_length": 8], .invalid, "\"micro_batch_size\" is missing",
      at: "workload.micro_batch_size", fix: "Add \"micro_batch_size\": a whole number."),
    Mistake(
      "workload", ["micro_batch_size": 0, "sequence_length": 8], .invalid, "0 is out of range",
      at: "workload.micro_batch_size", fix: "Use a whole number from 1 to 1000000."),
    Mistake(
      "workload", ["micro_batch_size": 1, "sequence_length": -5], .invalid, "-5 is out of range",
      at: "workload.sequence_length", fix: "Use a whole number from 1 to 100000000."),
    Mistake(
      "workload", ["micro_batch_size": 1.5, "sequence_length": 8], .invalid,
      "expected a whole number, found 1.5", at: "workload.micro_batch_size",
      fix: "Write a whole number."),
    Mistake(
      "workload", ["micro_batch_size": 1e30, "sequence_length": 8], .invalid,
      "expected a whole number, found 1e+30", at: "workload.micro_batch_size",
      fix: "Write a whole number."),
    Mistake(
      "workload", ["micro_batch_size": "1", "sequence_length": 8], .invalid,
      "expected a whole number, found the text \"1\"", at: "workload.micro_batch_size",
      fix: "Write a whole number."),
  ]

  static let models = [
    Mistake(
      "model", nil, .invalid, "\"model\" is missing", at: "model",
      fix: "Add \"model\": a name from \"plan show models\", or the path of a config.json."),
    Mistake(
      "model", 7, .invalid, "expected a model, found 7", at: "model",
      fix:
        "Write a name from \"plan show models\", the path of a config.json, or a config as an object."
    ),
    Mistake(
      "model", "lama-2-7b", .unknown, "there is no model \"lama-2-7b\"", at: "model",
      fix: "Did you mean \"llama-2-7b\"? \"plan show models\" lists them all."),
    Mistake(
      "model", "gone/config.json", .unreadable, "no such file", at: "gone/config.json", fix: "Look."
    ),
    Mistake(
      "model", ["size": 4], .invalid, "\"model_type\" is missing", at: "model.model_type",
      fix: "Add \"model_type\": one of fake."),
    Mistake(
      "model", ["model_type": "gpt2"], .unsupported,
      "models of type \"gpt2\" cannot be planned yet", at: "model.model_type",
      fix: "Model families so far: fake."),
    Mistake(
      "model", "other.json", .unsupported, "models of type \"fakee\" cannot be planned yet",
      at: "other.json, model_type", fix: "The nearest is \"fake\". Model families so far: fake."),
    Mistake(
      "model", "bad.json", .invalid, "-1 is out of range", at: "bad.json, size",
      fix: "Use a whole number from 1 to 100."),
    Mistake(
      "model", "list.json", .invalid, "expected an object here, found a list", at: "list.json",
      fix: "Write an object in braces: { … }."),
  ]

  static let techniques = [
    Mistake(
      "strategies", ["offload_param": ["degree": 8]], .unsupported,
      "\"offload_param\" cannot be planned yet", at: "strategies.offload_param",
      fix: "Leave it out, or use: late, early, also_early."),
    Mistake(
      "strategies", ["eraly": [:]], .unknown, "there is no strategy \"eraly\"",
      at: "strategies.eraly",
      fix: "Did you mean \"early\"? \"plan show strategies\" lists them all."),
    Mistake(
      "strategies", ["early": true], .invalid, "expected an object here, found a truth value",
      at: "strategies.early", fix: "Write an object in braces: { … }."),
    Mistake(
      "strategies", ["early": ["rnak": 1]], .unknown, "unknown key \"rnak\"",
      at: "strategies.early.rnak", fix: "Did you mean \"rank\"?"),
    Mistake(
      "strategies", ["late": ["rank": 1]], .unknown, "unknown key \"rank\"",
      at: "strategies.late.rank", fix: "Leave it out: nothing goes here."),
    Mistake(
      "strategies", ["early": ["rank": 9]], .invalid, "9 is out of range",
      at: "strategies.early.rank", fix: "Use a whole number from 1 to 8."),
    Mistake(
      "optimizer", "adamv", .unknown, "there is no optimizer \"adamv\"", at: "optimizer",
      fix: "Did you mean \"adamw\"? \"plan show optimizers\" lists them all."),
    Mistake(
      "optimizer", ["name": "adamw", "implementation": "fuse"], .unknown,
      "\"fuse\" is not known here", at: "optimizer.implementation", fix: "Did you mean \"fused\"?"),
    Mistake(
      "optimizer", ["name": "adamw", "momentum": 0.9], .unknown, "unknown key \"momentum\"",
      at: "optimizer.momentum", fix: "Use one of: name, implementation, in_backward."),
    Mistake(
      "optimizer", 3, .invalid, "expected an object here, found a number", at: "optimizer",
      fix: "Write an object in braces: { … }."),
  ]

  static let hardware = [
    Mistake(
      "hardware", ["device": "rtx-4091"], .unknown, "there is no device \"rtx-4091\"",
      at: "hardware.device",
      fix: "Did you mean \"rtx-4090\"? \"plan show devices\" lists them all."),
    Mistake(
      "hardware", ["device": "rtx-4090", "devices": 0], .invalid, "0 is out of range",
      at: "hardware.devices", fix: "Use a whole number from 1 to 1000000."),
    Mistake(
      "hardware", ["count": 2], .unknown, "unknown key \"count\"", at: "hardware.count",
      fix: "Use one of: device, devices, host_memory, link_GBps, network_GBps, devices_per_node, "
        + "price, rental_per_hour, watts."),
    Mistake(
      "hardware", ["device": 4090], .invalid, "expected a device, found 4090",
      at: "hardware.device",
      fix: "Write an id from \"plan show devices\", or an object with memory_gib and so on."),
    Mistake(
      "hardware", ["device": ["memory_gb": 24]], .unknown, "unknown key \"memory_gb\"",
      at: "hardware.device.memory_gb", fix: "Did you mean \"memory_gib\"?"),
    Mistake(
      "hardware", ["device": [:]], .invalid, "\"memory_gib\" is missing",
      at: "hardware.device.memory_gib",
      fix: "Add \"memory_gib\": what the device offers to a process, or \"memory_bytes\"."),
    Mistake(
      "hardware", ["device": ["memory_gib": 1, "memory_bytes": 1]], .conflict,
      "memory_gib and memory_bytes say the same thing twice", at: "hardware.device.memory_gib",
      fix: "Remove one of the two."),
    Mistake(
      "hardware", ["device": ["memory_gib": 1e300]], .invalid, "1e+300 is out of range",
      at: "hardware.device.memory_gib", fix: "Use a number from 0.001 to 1000000."),
    Mistake(
      "hardware", ["device": ["memory_gib": 24, "compute_capability": "ada"]], .invalid,
      "the text \"ada\" is not a CUDA compute capability",
      at: "hardware.device.compute_capability",
      fix: "Write it as NVIDIA does, from 5.0 to 15.0: \"compute_capability\": 8.9."),
  ]

  @Test(
    "names the place, the value and the fix",
    arguments: topLevel + workloads + models + techniques + hardware)
  func mistake(_ mistake: Mistake) {
    #expect(throws: mistake.error) { try ScenarioReaderTests.read((mistake.key, mistake.value)) }
  }

  @Test("wants an object", arguments: [[1], 1, "text", nil, true] as [JSONValue])
  func noObject(_ value: JSONValue) {
    let error = PlanError(
      .invalid, "expected an object here, found \(value.kind)",
      fix: "Write an object in braces: { … }.")
    #expect(throws: error) { try ScenarioReaderTests.reader().read(value) }
  }
}
