import Planner

@testable import plan

/// The tool run on words and files that exist only here.
enum FakeWorld {
  static func run(_ words: String..., files: [String: String] = [:], input: String = "")
    -> Tool.Answer
  {
    Tool.run(invocation(words, files: files, input: input))
  }

  static func invocation(_ words: [String], files: [String: String] = [:], input: String = "")
    -> Invocation
  {
    Invocation(
      arguments: words,
      readFile: { (path) throws(PlanError) in
        guard let text = files[path] else {
          throw PlanError(
            .unreadable, "there is no such file", path: path, fix: "Check the path.")
        }
        return Array(text.utf8)
      },
      readInput: { () throws(PlanError) in Array(input.utf8) })
  }
}
