import Planner

/// `plan fit`: one scenario, or a list of them.
enum FitCommand: Command {
  static let name = "fit"
  static let summary = "does it fit; the peak, where it is, what to change if not"
  static let usage = [
    "plan fit SCENARIO.json [options]", "plan fit - [options]",
    "plan fit --model NAME --micro-batch-size N --sequence-length N [options]",
  ]
  static let examples = [
    "plan fit --model llama-2-7b --device rtx-4090 --lora-rank 16 "
      + "--checkpointing full --micro-batch-size 1 --sequence-length 2048"
  ]
  static let options = ScenarioOption.all.map(\.option) + [.prices] + OutputChoice.options

  static func run(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError)
    -> CommandResult
  {
    let output = try OutputChoice(arguments, invocation)
    let source = try ScenarioSource(arguments, invocation)
    guard case .array(let scenarios) = source.document else {
      return try one(source, output)
    }
    let answers = Parallel.map(scenarios.count) { index in
      answer(scenarios[index], number: index + 1, source)
    }
    return CommandResult(
      output: output.renderer.render(answers, style: output.style), exitCode: exitCode(answers))
  }

  private static func one(_ source: ScenarioSource, _ output: OutputChoice) throws(PlanError)
    -> CommandResult
  {
    if output.renderer.wantsDocument {
      let (_, document) = try source.planned { (scenario) throws(PlanError) in
        try ReportDocument(scenario, written: source.document)
      }
      return CommandResult(
        output: output.renderer.render(document, style: output.style),
        exitCode: document.report.fits ? .answered : .doesNotFit)
    }
    let (scenario, report) = try source.planned(Planner.plan)
    let remedies = report.fits ? nil : try? Planner.remedies(for: scenario)
    let answer = Answer.planned(report, remedies: remedies)
    return CommandResult(
      output: output.renderer.render(answer, style: output.style),
      exitCode: report.fits ? .answered : .doesNotFit)
  }

  private static func answer(_ value: JSONValue, number: Int, _ source: ScenarioSource) -> Answer {
    do {
      return .planned(try Planner.plan(try source.read(value)), remedies: nil)
    } catch {
      if case .string(let name)? = value["name"] {
        return .refused(name: name, source.placed(error))
      }
      return .refused(name: "scenario \(number)", source.placed(error))
    }
  }

  private static func exitCode(_ answers: [Answer]) -> ExitCode {
    var worst = ExitCode.answered
    for answer in answers {
      let code: ExitCode =
        switch answer {
        case .planned(let report, _): report.fits ? .answered : .doesNotFit
        case .refused(_, let error): ExitCode(error)
        }
      if code.rawValue > worst.rawValue { worst = code }
    }
    return worst
  }
}

extension ScenarioSource {
  /// The one scenario, read, with what `plan` makes of it; errors name the file and the option.
  func planned<Result>(_ plan: (Scenario) throws(PlanError) -> Result) throws(PlanError)
    -> (Scenario, Result)
  {
    do throws(PlanError) {
      if case .array = document { throw .severalScenarios }
      let scenario = try read(document)
      do { return (scenario, try plan(scenario)) } catch { throw placed(error) }
    } catch {
      guard let place, !error.path.hasPrefix("--") else { throw error }
      throw error.inFile(place)
    }
  }
}

extension PlanError {
  fileprivate static var severalScenarios: Self {
    Self(
      .invalid, "a list of scenarios, and this command takes one", path: "",
      fix: "Name a file with one scenario; \"plan fit\" takes lists.")
  }
}
