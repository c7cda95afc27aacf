import Planner

/// An option that stands for a key of the scenario.
struct ScenarioOption: Sendable {
  /// How its value becomes JSON.
  enum Kind: Sendable {
    case text, number, numberOrNone, list, truth, technique, checkpointing, loss, offload
  }

  let option: Option
  /// The key path that it sets: `workload`, `micro_batch_size`.
  let path: [String]
  let kind: Kind

  init(_ name: String, _ value: String?, _ path: String, _ kind: Kind, _ help: String) {
    option = Option(name: name, value: value, help: help, group: "Scenario options")
    self.path = path.split(separator: ".").map(String.init)
    self.kind = kind
  }

  /// Every such option, in the order in which they are applied.
  static let all = [
    Self("name", "TEXT", "name", .text, "what the report is called"),
    Self("model", "NAME", "model", .text, "from \"plan show models\", or a config.json"),
    Self(
      "micro-batch-size", "N", "workload.micro_batch_size", .number,
      "sequences in one forward pass"),
    Self("sequence-length", "N", "workload.sequence_length", .number, "tokens in each sequence"),
    Self(
      "target-sequence-length", "N", "workload.target_sequence_length", .number,
      "tokens in each sequence of a decoder"),
    Self(
      "gradient-accumulation-steps", "N", "workload.gradient_accumulation_steps", .number,
      "passes before the optimizer steps"),
    Self(
      "keep-outputs", nil, "workload.keep_outputs", .truth,
      "the loop holds the logits"),
    Self(
      "precision", "NAME", "precision", .text,
      "bf16-true, bf16-mixed, 32-true, fp8-mixed, …"),
    Self("attention", "NAME", "attention", .text, names(AttentionImplementation.self)),
    Self("kernels", "NAME", "kernels", .text, names(KernelSet.self)),
    Self("loss", "NAME", "loss", .loss, "transformers, transformers-4.48, chunked:N"),
    Self("optimizer", "NAME", "optimizer.name", .text, "from \"plan show optimizers\""),
    Self(
      "optimizer-implementation", "NAME", "optimizer.implementation", .text,
      names(OptimizerImplementation.self)),
    Self(
      "gradient-clipping", "NORM", "gradient_clipping", .numberOrNone,
      "the norm gradients are clipped to, or none"),
    Self(
      "checkpointing", "POLICY", "strategies.checkpointing", .checkpointing,
      "none, full, every:K, first:N"),
    Self("lora-rank", "R", "strategies.lora.rank", .number, "train LoRA adapters of this rank"),
    Self(
      "lora-targets", "A,B,…", "strategies.lora.target_modules", .list,
      "the modules with adapters: q_proj,v_proj"),
    Self(
      "adapter-precision", "NAME", "strategies.lora.adapter_precision", .text, "fp32, base"),
    Self(
      "base-quantization", "NAME", "strategies.lora.base_quantization", .text,
      names(BaseQuantization.Format.self) + ": the weights under LoRA"),
    Self(
      "offload-optimizer", "WHAT", "strategies.offload_optimizer.offload_gradients", .offload,
      "states, or states and gradients: gradients"),
    Self(
      "offload-activations", nil, "strategies.offload_activations", .technique,
      "saved tensors on the host"),
    Self("host-memory", "SIZE", "hardware.host_memory", .text, "what the host has: 128GiB"),
    Self("fsdp", "N", "strategies.fsdp.shards", .number, "cut states over N devices"),
    Self("ddp", "N", "strategies.ddp.replicas", .number, "a copy of the model on N devices"),
    Self("device", "ID", "hardware.device", .text, "from \"plan show devices\""),
    Self("devices", "N", "hardware.devices", .number, "how many there are"),
  ]

  /// The value as the scenario writes it.
  func value(_ text: String) throws(PlanError) -> JSONValue {
    switch kind {
    case .text: return .string(text)
    case .truth: return true
    case .technique: return [:]
    case .loss:
      let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { return ["implementation": .string(text)] }
      guard let chunks = Int(parts[1]) else { throw .notANumber(parts[1], option) }
      return ["implementation": .string(parts[0]), "chunks": .integer(chunks)]
    case .offload:
      guard text == "states" || text == "gradients" else {
        throw .unknownName(
          text, "choice", among: ["states", "gradients"], path: option.flag)
      }
      return .bool(text == "gradients")
    case .list:
      let names = text.split(separator: ",", omittingEmptySubsequences: false)
        .map { String($0.drop { $0 == " " }) }
      guard !names.contains("") else { throw .emptyName(text, option) }
      return .array(names.map { .string($0) })
    case .numberOrNone where text == "none": return .null
    case .number, .numberOrNone:
      if let number = Int(text) { return .integer(number) }
      if let number = Double(text) { return .number(number) }
      throw .notANumber(text, option)
    case .checkpointing:
      guard let policy = Self.checkpointing(text) else { throw .notAPolicy(text, option) }
      return policy
    }
  }

  private static func names<Choice: RawRepresentable & CaseIterable>(_: Choice.Type) -> String
  where Choice.RawValue == String {
    Choice.allCases.map(\.rawValue).joined(separator: ", ")
  }

  private static func checkpointing(_ text: String) -> JSONValue? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let count = parts.count == 2 ? Int(parts[1]) : nil
    switch (parts.first, parts.count, count) {
    case ("none", 1, _), ("full", 1, _): return ["policy": .string(text)]
    case ("every", 2, let interval?): return ["policy": "every", "interval": .integer(interval)]
    case ("first", 2, let layers?): return ["policy": "first", "layers": .integer(layers)]
    default: return nil
    }
  }
}

extension JSONValue {
  /// The value at a key path, or `nil` where there is none or `null`.
  subscript(path: [String]) -> JSONValue? {
    var value: JSONValue? = self
    for key in path { value = value?[key] }
    return value == .null ? nil : value
  }

  /// The same object with `value` at a key path; objects on the way are made where nothing is.
  ///
  /// Where something else than an object is in the way, it stays: whoever reads the scenario says so.
  func setting(_ path: ArraySlice<String>, to value: JSONValue) -> JSONValue {
    guard let key = path.first else { return value }
    guard case .object(var members) = self else { return self }
    let rest = path.dropFirst()
    if let index = members.firstIndex(where: { $0.key == key }) {
      let inner = members[index].value
      let start: JSONValue = inner == .null ? [:] : inner
      members[index].value = rest.isEmpty ? value : start.setting(rest, to: value)
    } else {
      members.append(Member(key, JSONValue.object([]).setting(rest, to: value)))
    }
    return .object(members)
  }
}

extension PlanError {
  fileprivate static func notANumber(_ text: String, _ option: Option) -> Self {
    Self(
      .invalid, "expected a number, found \"\(text.prefix(80))\"", path: option.flag,
      fix: "Write \(option.flag) with digits, such as 8.")
  }

  fileprivate static func emptyName(_ text: String, _ option: Option) -> Self {
    Self(
      .invalid, "an empty name in \"\(text.prefix(80))\"", path: option.flag,
      fix: "Write names with commas between them and no blanks: q_proj,v_proj.")
  }

  fileprivate static func notAPolicy(_ text: String, _ option: Option) -> Self {
    Self(
      .unknown, "\"\(text.prefix(80))\" is no checkpointing policy", path: option.flag,
      fix: "Use none, full, every:K or first:N, such as every:2.")
  }
}
