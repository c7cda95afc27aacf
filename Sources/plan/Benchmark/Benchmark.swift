import Planner

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Measures how fast plans are made on this machine, in the three ways that people use the tool.
struct Benchmark {
  /// What one measurement comes to.
  struct Row {
    var what: String
    var result: String
    var goal: String
  }

  /// The program to start for whole runs; `nil` leaves that row out.
  let program: String?

  /// All measurements.
  func rows() throws(PlanError) -> [Row] {
    var rows: [Row] = []
    if let row = wholeRun() { rows.append(row) }
    rows.append(try thousandScenarios())
    for layers in [10, 32, 1000] { rows.append(try step(layers: layers)) }
    rows.append(try sharded("llama-2-7b", layers: 32, devices: 8))
    for devices in [8, 16_384] {
      rows.append(try sharded("llama-3.1-405b", layers: 126, devices: devices))
    }
    for degree in [2, 8] {
      rows.append(
        try megatron(
          "GPT-2 medium on \(degree) × \(degree) × \(degree) devices", layers: 24,
          hidden: 1024, degree: degree))
    }
    for effort in [ReservedMemory.Effort.tensors, .report] {
      rows.append(
        try megatron(
          "GPT-3 175B on 8 × 8 × 8 devices", layers: 96, hidden: 12_288, degree: 8, effort))
    }
    for layers in [10, 32, 1000] { rows.append(try library(layers: layers)) }
    rows.append(try allocator())
    rows.append(try checkpoints("llama-2-7b", layers: 32, devices: nil, goal: 30))
    rows.append(try checkpoints("llama-3.1-405b", layers: 126, devices: 512, goal: 200))
    return rows
  }

  // MARK: A whole run

  /// The median wall time of `plan fit` with options alone, process start included.
  private func wholeRun() -> Row? {
    guard let program else { return nil }
    let words =
      "fit --model llama-2-7b --device rtx-4090 --lora-rank 16 --checkpointing full "
      + "--micro-batch-size 1 --sequence-length 2048"
    var times: [Double] = []
    for _ in 0..<21 {
      let start = ContinuousClock.now
      guard Self.start(program, words.split(separator: " ").map(String.init)) else { return nil }
      times.append(Self.milliseconds(since: start))
    }
    times.sort()
    return Row(
      what: "one plan fit, the whole process (median of 21)",
      result: "\(Decimal.text(times[10], digits: 1)) ms", goal: "≤ 30 ms")
  }

  /// Starts a program, drops its output and waits for it.
  private static func start(_ program: String, _ words: [String]) -> Bool {
    var actions = posix_spawn_file_actions_t()
    guard posix_spawn_file_actions_init(&actions) == 0 else { return false }
    defer { posix_spawn_file_actions_destroy(&actions) }
    for stream in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0)
    }
    var pointers: [UnsafeMutablePointer<CChar>?] = ([program] + words).map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    var process = pid_t()
    guard posix_spawn(&process, program, &actions, nil, pointers, environ) == 0 else {
      return false
    }
    var status: Int32 = 0
    return waitpid(process, &status, 0) == process
  }

  // MARK: A thousand scenarios

  /// A JSON array of 1,000 different scenarios, as `plan fit -` reads, plans and writes it.
  private func thousandScenarios() throws(PlanError) -> Row {
    let text = Array(Self.thousand().utf8)
    var times: [Double] = []
    for _ in 0..<3 {
      let start = ContinuousClock.now
      let answer = Tool.run(
        Invocation(
          arguments: ["fit", "-", "--format", "json"],
          readFile: { (path) throws(PlanError) in
            throw PlanError(.unreadable, "no files here", path: path, fix: "Use none.")
          }, readInput: { text }))
      times.append(Self.milliseconds(since: start))
      guard answer.exitCode == .answered || answer.exitCode == .doesNotFit else {
        throw PlanError(.defect, answer.errors, fix: "Report this.")
      }
    }
    return Row(
      what: "1,000 scenarios as one array, read, planned and written",
      result: "\(Decimal.text(times.min() ?? 0, digits: 0)) ms", goal: "≤ 1,500 ms")
  }

  private static func thousand() -> String {
    let models = ["llama-2-7b", "llama-3-8b", "mistral-7b-v0.1", "qwen2.5-7b", "qwen3-8b"]
    let techniques = [
      "", "\"checkpointing\": { \"policy\": \"full\" }",
      "\"checkpointing\": { \"policy\": \"every\", \"interval\": 2 }",
      "\"lora\": { \"rank\": 16, \"target_modules\": [\"q_proj\", \"v_proj\"] }",
    ]
    let scenarios = (0..<1000).map { index in
      """
      { "schema": 1, "name": "scenario \(index)", "model": "\(models[index % models.count])",
        "workload": { "micro_batch_size": \(1 + index / 20 % 8), "sequence_length": \(512 + 16 * index) },
        "precision": "\(index % 3 == 0 ? "bf16-mixed" : "bf16-true")",
        "strategies": { \(techniques[index / 5 % techniques.count]) },
        "hardware": { "device": "h100-sxm", "devices": 1 } }
      """
    }
    return "[" + scenarios.joined(separator: ",\n") + "]"
  }

  // MARK: The library

  private static func llama(layers: Int) throws(PlanError) -> Scenario {
    try scenario([
      "schema": 1,
      "model": ["model_type": "llama", "num_hidden_layers": .integer(layers)],
      "workload": ["micro_batch_size": 1, "sequence_length": 2048],
      "hardware": ["device": "h100-sxm", "devices": 1],
    ])
  }

  /// Plans per second of one core, from a scenario in memory: the best of three runs of `count` plans.
  private func rate(
    _ scenario: Scenario, _ count: Int, _ effort: ReservedMemory.Effort
  ) throws(PlanError) -> Double {
    var best = 0.0
    for _ in 0..<3 {
      let start = Self.coreSeconds
      for _ in 0..<count { _ = try Planner.plan(scenario, effort) }
      best = max(best, Double(count) / max(Self.coreSeconds - start, 1e-9))
    }
    return best
  }

  /// The tensors of a step of a Llama of so many layers, without the allocator.
  private func step(layers: Int) throws(PlanError) -> Row {
    let best = try rate(try Self.llama(layers: layers), 500, .tensors)
    return Row(
      what: "the tensors of a step, \(layers) layers",
      result: "\(Decimal.text(best, digits: 0)) plans/s", goal: "≥ 10,000 plans/s")
  }

  /// The same of one rank of many.
  private func sharded(_ model: String, layers: Int, devices: Int) throws(PlanError) -> Row {
    let scenario = try Self.scenario([
      "schema": 1, "model": .string(model),
      "workload": ["micro_batch_size": 1, "sequence_length": 2048],
      "strategies": ["checkpointing": [:], "fsdp": ["shards": .integer(devices)]],
      "hardware": ["device": "h100-sxm"],
    ])
    let best = try rate(scenario, 200, .tensors)
    return Row(
      what: "the tensors of one rank of \(TextLayout.grouped(devices)), \(layers) layers",
      result: "\(Decimal.text(best, digits: 0)) plans/s", goal: "≥ 3,000 plans/s")
  }

  /// A GPT as Megatron trains it, all three degrees of parallelism alike: every distinct rank is planned.
  private func megatron(
    _ name: String, layers: Int, hidden: Int, degree: Int,
    _ effort: ReservedMemory.Effort = .tensors
  ) throws(PlanError) -> Row {
    let degrees: JSONValue = ["degree": .integer(degree)]
    let scenario = try Self.scenario([
      "schema": 1,
      "model": [
        "model_type": "megatron_gpt", "num_layers": .integer(layers),
        "hidden_size": .integer(hidden), "num_attention_heads": .integer(hidden / 128),
        "vocab_size": 51_200, "max_position_embeddings": 2048,
      ],
      "framework": "megatron",
      "workload": [
        "micro_batch_size": 1, "sequence_length": 2048, "gradient_accumulation_steps": 64,
      ],
      "strategies": [
        "tensor_parallel": degrees, "sequence_parallel": [:], "pipeline_parallel": degrees,
        "data_parallel": ["degree": .integer(degree), "distributed_optimizer": true],
        "checkpointing": ["recompute_granularity": "selective"],
      ],
      "hardware": ["device": "a100-80gb-sxm"],
    ])
    let best = try rate(scenario, 50, effort)
    return Row(
      what: "\(name), all ranks" + (effort == .report ? ", with the allocator" : ""),
      result: "\(Decimal.text(best, digits: 0)) plans/s",
      goal: effort == .report ? "≥ 100 plans/s" : "≥ 200 plans/s")
  }

  /// Plans with the allocator, which sees every layer.
  private func library(layers: Int) throws(PlanError) -> Row {
    let best = try rate(try Self.llama(layers: layers), layers > 100 ? 20 : 200, .report)
    return Row(
      what: "a plan with the allocator, \(layers) layers",
      result: "\(Decimal.text(best, digits: 0)) plans/s",
      goal: layers > 100 ? "≥ 5 plans/s" : "≥ 100 plans/s")
  }

  /// Allocations and releases per second of one core, for two steps of Llama 2 7B.
  private func allocator() throws(PlanError) -> Row {
    let workload = try AllocatorWorkload(
      try Self.scenario([
        "schema": 1, "model": "llama-2-7b",
        "workload": ["micro_batch_size": 1, "sequence_length": 2048],
        "hardware": ["device": "h100-sxm", "devices": 1],
      ]))
    var best = 0.0
    for _ in 0..<3 {
      let start = Self.coreSeconds
      let count = 50
      for _ in 0..<count { _ = workload.replay() }
      best = max(best, Double(count * workload.events) / max(Self.coreSeconds - start, 1e-9))
    }
    return Row(
      what: "the allocator, replayed (\(workload.events) events)",
      result: "\(Decimal.text(best / 1e6, digits: 1)) million events/s",
      goal: "≥ 5 million events/s")
  }

  /// The whole answer of `plan checkpoint`, read from a scenario in memory.
  private func checkpoints(_ model: String, layers: Int, devices: Int?, goal: Int)
    throws(PlanError) -> Row
  {
    let strategies: JSONValue =
      devices.map { ["fsdp": ["shards": .integer($0)]] } ?? ["lora": ["rank": 16]]
    let scenario = try Self.scenario([
      "schema": 1, "model": .string(model), "strategies": strategies,
      "workload": ["micro_batch_size": 1, "sequence_length": 8192],
      "hardware": ["device": "h100-sxm"],
    ])
    var best = Double.infinity
    for _ in 0..<3 {
      let start = ContinuousClock.now
      _ = try Planner.checkpoints(for: scenario)
      best = min(best, Self.milliseconds(since: start))
    }
    return Row(
      what: "plan checkpoint, \(model) of \(layers) layers",
      result: "\(Decimal.text(best, digits: 1)) ms", goal: "≤ \(goal) ms")
  }

  /// Reads a scenario that names no files.
  private static func scenario(_ value: JSONValue) throws(PlanError) -> Scenario {
    try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no files here", path: path, fix: "Use none.")
    }.read(value)
  }

  /// Seconds that this process has had cores for, all of them together.
  private static var coreSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private static func milliseconds(since start: ContinuousClock.Instant) -> Double {
    let duration = ContinuousClock.now - start
    return Double(duration.components.seconds) * 1e3
      + Double(duration.components.attoseconds) / 1e15
  }
}
