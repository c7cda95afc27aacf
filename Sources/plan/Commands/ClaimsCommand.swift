import Planner

/// `plan claims`: what articles say, beside what their scenarios come to.
enum ClaimsCommand: Command {
  static let name = "claims"
  static let summary = "claims of articles beside plans of them, as a table"
  static let usage = ["plan claims SCENARIO.json ..."]
  static let examples = ["plan claims Scenarios/claims/*.json"]
  static let options = [Option.prices]
  static let mostOperands = 1000

  static func run(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError)
    -> CommandResult
  {
    let files = arguments.operands
    guard !files.isEmpty else { throw .noClaims }
    var sources: [ScenarioSource] = []
    for file in files {
      let words = [file] + (arguments[.prices].map { ["--prices", $0] } ?? [])
      sources.append(
        try ScenarioSource(try ParsedArguments(words, options: options), invocation))
    }
    let read = sources
    let results = Parallel.map(files.count) { index -> Result<ClaimCheck, PlanError> in
      let source = read[index]
      return Result { () throws(PlanError) in
        do throws(PlanError) {
          return try ClaimCheck(source.document) { (value) throws(PlanError) in
            try source.read(value)
          }
        } catch {
          throw error.inFile(files[index])
        }
      }
    }
    var claims: [(file: String, check: ClaimCheck)] = []
    for (file, result) in zip(files, results) {
      let name = file.split(separator: "/").last.map(String.init) ?? file
      claims.append((name, try result.get()))
    }
    return CommandResult(output: ClaimText.markdown(claims))
  }
}

extension PlanError {
  fileprivate static var noClaims: Self {
    Self(.invalid, "no scenario", fix: "Name files: plan claims Scenarios/claims/*.json.")
  }
}
