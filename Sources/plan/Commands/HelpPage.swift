import Planner

/// Help texts, made from the tables of commands and options.
enum HelpPage {
  /// What `plan` says by itself: an example, the commands, the topics.
  static var short: String {
    var lines = [
      "plan - does this training run fit on this device?", "",
      "  plan fit --model llama-2-7b --device rtx-4090 --lora-rank 16 \\",
      "    --checkpointing full --micro-batch-size 1 --sequence-length 2048", "", "Commands:",
    ]
    for command in Commands.all { lines += entry(command.name, command.summary, 12) }
    lines += ["", "Topics (plan help TOPIC):"]
    for topic in HelpTopic.all { lines += entry(topic.name, topic.summary, 12) }
    lines += ["", "\"plan COMMAND --help\" has the options. \"plan --version\" has the version."]
    return lines.joined(separator: "\n") + "\n"
  }

  /// A command's page: usage, examples, options.
  static func text(of command: any Command.Type) -> String {
    var lines = ["plan \(command.name) - \(command.summary)", "", "Usage:"]
    lines += command.usage.map { "  " + $0 }
    lines += ["", "Examples:"]
    for example in command.examples { lines += broken(example) }
    let scenario = command.options.filter { $0.group != Option.ownGroup }
    let isShort = !scenario.isEmpty && !command.listsScenarioOptions
    let options = command.options.filter { !isShort || $0.group == Option.ownGroup } + [.help]
    var groups: [String] = []
    for option in options where !groups.contains(option.group) { groups.append(option.group) }
    for group in groups {
      lines += [
        "", group + (group == "Options" ? ":" : " (on top of a file, they replace its keys):"),
      ]
      for option in options where option.group == group {
        lines += entry(option.usage, option.help, 34)
      }
    }
    if isShort {
      lines += ["", "It also takes the scenario options of \"plan fit\"; see plan help fit."]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func entry(_ name: String, _ text: String, _ column: Int) -> [String] {
    let wrapped = TextLayout.wrap(text, TextLayout.width - column - 2)
    let label = TextLayout.left(name, column - 1) + " "
    return wrapped.enumerated().map { index, line in
      "  " + (index == 0 ? label : TextLayout.left("", label.count)) + line
    }
  }

  /// A command line in lines that a shell takes as one.
  private static func broken(_ example: String) -> [String] {
    let lines = TextLayout.wrap(example, TextLayout.width - 6)
    return lines.enumerated().map { index, line in
      (index == 0 ? "  " : "    ") + line + (index + 1 < lines.count ? " \\" : "")
    }
  }
}
