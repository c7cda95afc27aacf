import Planner
import Testing

@testable import plan

@Suite("A scenario from options and files") struct ScenarioSourceTests {
  static func source(_ words: String..., files: [String: String] = [:], input: String = "")
    throws(PlanError) -> ScenarioSource
  {
    let arguments = try ParsedArguments(words, options: FitCommand.options)
    return try ScenarioSource(
      arguments, FakeWorld.invocation(words, files: files, input: input))
  }

  @Test("is the same JSON that a file would hold")
  func options() throws {
    let source = try Self.source(
      "--model", "llama-2-7b", "--device", "rtx-4090", "--devices", "1", "--lora-rank", "16",
      "--lora-targets", "q_proj,v_proj", "--adapter-precision", "base", "--checkpointing",
      "every:2", "--micro-batch-size", "1", "--sequence-length", "2048",
      "--gradient-accumulation-steps", "4", "--precision", "bf16-mixed", "--attention", "eager",
      "--optimizer", "sgd", "--optimizer-implementation", "fused", "--gradient-clipping", "0.5",
      "--keep-outputs", "--name", "mine")
    let expected: JSONValue = [
      "schema": 1,
      "workload": [
        "micro_batch_size": 1, "sequence_length": 2048, "gradient_accumulation_steps": 4,
        "keep_outputs": true,
      ],
      "name": "mine", "model": "llama-2-7b", "precision": "bf16-mixed", "attention": "eager",
      "optimizer": ["name": "sgd", "implementation": "fused"], "gradient_clipping": 0.5,
      "strategies": [
        "checkpointing": ["policy": "every", "interval": 2],
        "lora": [
          "rank": 16, "target_modules": ["q_proj", "v_proj"], "adapter_precision": "base",
        ],
      ],
      "hardware": ["device": "rtx-4090", "devices": 1],
    ]
    #expect(source.document == expected && source.place == nil)
  }

  @Test("has losses, kernels, quantization and offloading as options")
  func techniques() throws {
    let source = try Self.source(
      "--loss", "chunked:4", "--kernels", "torch", "--lora-rank", "8",
      "--base-quantization", "nf4", "--offload-optimizer", "states", "--offload-activations",
      "--host-memory", "64GiB")
    let expected: JSONValue = [
      "schema": 1, "workload": [:], "kernels": "torch",
      "loss": ["implementation": "chunked", "chunks": 4],
      "strategies": [
        "lora": ["rank": 8, "base_quantization": "nf4"],
        "offload_optimizer": ["offload_gradients": false],
        "offload_activations": [:],
      ],
      "hardware": ["host_memory": "64GiB"],
    ]
    #expect(source.document == expected)
    let gradients = try Self.source("--offload-optimizer", "gradients", "--loss", "chunked")
    #expect(gradients.document["loss"] == ["implementation": "chunked"])
    #expect(
      gradients.document["strategies"]?["offload_optimizer"] == ["offload_gradients": true])
    #expect(throws: PlanError.self) { try Self.source("--offload-optimizer", "all") }
    #expect(throws: PlanError.self) { try Self.source("--loss", "chunked:many") }
  }

  @Test("keeps the settings of a technique that the file has")
  func keptTechniques() throws {
    let files = ["s.json": #"{"strategies": {"offload_activations": {"pin_memory": false}}}"#]
    let source = try Self.source("s.json", "--offload-activations", files: files)
    #expect(source.document["strategies"]?["offload_activations"] == ["pin_memory": false])
  }

  @Test("takes the options over the file's keys, in every scenario of a list")
  func overrides() throws {
    let text = #"[{"workload": {"micro_batch_size": 1, "sequence_length": 8}}, {}, 5]"#
    let source = try Self.source(
      "-", "--micro-batch-size", "2", "--gradient-clipping", "none", input: text)
    let expected: JSONValue = [
      ["workload": ["micro_batch_size": 2, "sequence_length": 8], "gradient_clipping": nil],
      ["workload": ["micro_batch_size": 2], "gradient_clipping": nil], 5,
    ]
    #expect(source.document == expected && source.place == "standard input")
  }

  @Test("keeps an optimizer's settings unless the optimizer changes")
  func optimizers() throws {
    let files = ["s.json": #"{"optimizer": {"momentum": 0.9, "name": "sgd"}}"#]
    let same = try Self.source("s.json", "--optimizer", "sgd", files: files)
    #expect(same.document["optimizer"]?["momentum"] == 0.9)
    let other = try Self.source("s.json", "--optimizer", "adamw", files: files)
    #expect(other.document["optimizer"] == ["name": "adamw"])
    let short = try Self.source(
      "s.json", "--optimizer-implementation", "fused", files: ["s.json": #"{"optimizer": "sgd"}"#])
    #expect(short.document["optimizer"] == ["name": "sgd", "implementation": "fused"])
  }

  static let badOptions: [([String], PlanError)] = [
    (
      ["--micro-batch-size", "one"],
      PlanError(
        .invalid, "expected a number, found \"one\"", path: "--micro-batch-size",
        fix: "Write --micro-batch-size with digits, such as 8.")
    ),
    (
      ["--checkpointing", "every"],
      PlanError(
        .unknown, "\"every\" is no checkpointing policy", path: "--checkpointing",
        fix: "Use none, full, every:K or first:N, such as every:2.")
    ),
    (
      ["--lora-targets", "q_proj,,v_proj"],
      PlanError(
        .invalid, "an empty name in \"q_proj,,v_proj\"", path: "--lora-targets",
        fix: "Write names with commas between them and no blanks: q_proj,v_proj.")
    ),
  ]

  @Test("refuses an option's value before anything is read", arguments: badOptions)
  func badOption(words: [String], error: PlanError) {
    #expect(throws: error) {
      let arguments = try ParsedArguments(words, options: FitCommand.options)
      _ = try ScenarioSource(arguments, FakeWorld.invocation(words))
    }
  }

  @Test("names the option that an error is about, or the one that is missing")
  func placed() throws {
    let source = try Self.source("--model", "m", "--sequence-length", "0", "--lora-rank", "8")
    let range = PlanError(.invalid, "bad", path: "workload.sequence_length", fix: "")
    #expect(source.placed(range).path == "--sequence-length")
    let inside = PlanError(.invalid, "bad", path: "model.hidden_size", fix: "")
    #expect(source.placed(inside).path == "--model")
    let missing = PlanError(
      .invalid, "\"micro_batch_size\" is missing", path: "workload.micro_batch_size", fix: "")
    let expected = PlanError(
      .invalid, "--micro-batch-size is missing",
      fix: "Add --micro-batch-size N: sequences in one forward pass.")
    #expect(source.placed(missing) == expected)
    let other = PlanError(.conflict, "bad", path: "strategies", fix: "")
    #expect(source.placed(other) == other)
    let file = try Self.source("s.json", "--model", "m", files: ["s.json": "{}"])
    #expect(file.placed(missing) == missing)
  }

  @Test("finds a config beside the scenario, and one named by an option where the tool runs")
  func configs() {
    let wrong = #"{"model_type": "nobody-knows"}"#
    let scenario = #"{"model": "tiny/config.json", "workload": {}}"#
    let files = ["runs/s.json": scenario, "runs/tiny/config.json": wrong, "tiny.json": wrong]
    let beside = FakeWorld.run("fit", "runs/s.json", files: files)
    let place = "error: runs/s.json, tiny/config.json, model_type: models of type \"nobody-knows\""
    #expect(beside.errors.hasPrefix(place))
    let here = FakeWorld.run("fit", "runs/s.json", "--model", "tiny.json", files: files)
    #expect(here.errors.contains("tiny.json, model_type: models of type \"nobody-knows\""))
    let gone = FakeWorld.run("fit", "runs/s.json", "--model", "gone/", files: files)
    let expected =
      "error: runs/s.json, gone/config.json: there is no such file\n"
      + "  fix: Give the path of a config.json, or a name from \"plan show models\".\n"
    #expect(gone.errors == expected)
  }

  @Test("names file, line and column of what is not JSON")
  func syntax() {
    let answer = FakeWorld.run("fit", "s.json", files: ["s.json": "{\n  \"model\" \"x\"\n}"])
    let expected =
      "error: s.json, line 2, column 11: expected a colon after the key, found text in quotes\n"
      + "  fix: Write a colon after the key here.\n"
    #expect(answer == .init(exitCode: .wrongInput, errors: expected))
    let empty = FakeWorld.run("fit", "-")
    #expect(empty.errors.hasPrefix("error: standard input, line 1, column 1: there is nothing"))
  }
}
