import Planner

/// `plan benchmark`: how fast plans are made on this machine.
enum BenchmarkCommand: Command {
  static let name = "benchmark"
  static let summary = "how fast plans are made on this machine"
  static let usage = ["plan benchmark"]
  static let examples = ["plan benchmark"]
  static let options: [Option] = []
  static let mostOperands = 0

  static func run(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError)
    -> CommandResult
  {
    var table = Table(columns: [
      .init(heading: "what"), .init(heading: "here", isNumber: true),
      .init(heading: "goal", isNumber: true),
    ])
    table.rows = try Benchmark(program: invocation.program).rows().map {
      [$0.what, $0.result, $0.goal]
    }
    return CommandResult(output: table.text(style: TextStyle()))
  }
}
