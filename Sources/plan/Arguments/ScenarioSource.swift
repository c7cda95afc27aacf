import Planner

/// Where scenarios come from: a file, standard input, options, or a file with options on top.
struct ScenarioSource {
  /// The file or `standard input`, for errors; `nil` where there are only options.
  let place: String?
  /// A scenario, or a list of them; options are applied.
  let document: JSONValue
  private let given: [ScenarioOption]
  private let reader: ScenarioReader

  /// Reads what the arguments name.
  init(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError) {
    given = ScenarioOption.all.filter { arguments[$0.option] != nil }
    let path = arguments.operands.first
    guard path != nil || !given.isEmpty else { throw .noScenario }
    place = path == "-" ? "standard input" : path
    var base: JSONValue = ["schema": 1, "workload": [:]]
    if let path, let place {
      let bytes = try path == "-" ? invocation.readInput() : invocation.readFile(path)
      do { base = try JSONReader.read(bytes) } catch { throw error.inFile(place) }
    }
    document = try Self.apply(given, arguments, to: base)
    let hasModelOption = given.contains { $0.path == ["model"] }
    let configs = ConfigFiles(
      folder: hasModelOption ? "" : Self.folder(of: path ?? ""), readFile: invocation.readFile,
      readStart: invocation.readStart)
    var reader = ScenarioReader(loadModelConfig: configs.load)
    if let file = arguments[.prices] { reader.prices = try Self.prices(file, invocation) }
    self.reader = reader
  }

  /// The user's own price list.
  private static func prices(_ file: String, _ invocation: Invocation) throws(PlanError)
    -> PriceList
  {
    let bytes = try invocation.readFile(file)
    do { return try PriceList(try JSONReader.read(bytes)) } catch { throw error.inFile(file) }
  }

  /// A scenario of ``document``, read.
  func read(_ value: JSONValue) throws(PlanError) -> Scenario {
    do { return try reader.read(value) } catch { throw placed(error) }
  }

  /// The error with the option in its place that caused it, and with the options in the fix that are missing.
  func placed(_ error: PlanError) -> PlanError {
    var error = error
    for option in given {
      let key = option.path.joined(separator: ".")
      if error.path == key || error.path.hasPrefix(key + ".") {
        error.path = option.option.flag
        return error
      }
    }
    guard place == nil, error.message.hasSuffix("is missing") else { return error }
    for option in ScenarioOption.all where option.path.joined(separator: ".") == error.path {
      return .missingOption(option.option)
    }
    return error
  }

  private static func apply(
    _ given: [ScenarioOption], _ arguments: ParsedArguments, to document: JSONValue
  ) throws(PlanError) -> JSONValue {
    if case .array(let scenarios) = document {
      var changed: [JSONValue] = []
      for scenario in scenarios { changed.append(try apply(given, arguments, to: scenario)) }
      return .array(changed)
    }
    var scenario = document
    for option in given {
      guard let text = arguments[option.option] else { continue }
      if option.path.first == "optimizer", case .string(let name)? = scenario["optimizer"] {
        scenario = scenario.setting(["optimizer"], to: ["name": .string(name)])
      }
      let value = try option.value(text)
      if option.path == ["optimizer", "name"], scenario["optimizer"]?["name"] != value {
        scenario = scenario.setting(["optimizer"], to: [:])
      }
      // A technique that the file already has keeps its settings.
      if option.kind == .technique, scenario[option.path] != nil { continue }
      scenario = scenario.setting(option.path[...], to: value)
    }
    return scenario
  }

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
  }
}

/// Model configs from files, each read once.
fileprivate final class ConfigFiles {
  private let folder: String
  private let readFile: (String) throws(PlanError) -> [UInt8]
  private let readStart: (String, Int) throws(PlanError) -> [UInt8]
  private var known: [String: JSONValue] = [:]

  init(
    folder: String, readFile: @escaping (String) throws(PlanError) -> [UInt8],
    readStart: @escaping (String, Int) throws(PlanError) -> [UInt8]
  ) {
    self.folder = folder
    self.readFile = readFile
    self.readStart = readStart
  }

  func load(_ path: String) throws(PlanError) -> JSONValue {
    let full = path.hasPrefix("/") ? path : folder + path
    if let config = known[full] { return config }
    let bytes: [UInt8]
    do {
      bytes = try full.hasSuffix(".safetensors") ? tensorHeader(full) : readFile(full)
    } catch {
      throw error.asConfig
    }
    do {
      let config = try JSONReader.read(bytes)
      known[full] = config
      return config
    } catch {
      throw error.inFile(full)
    }
  }
}

extension ConfigFiles {
  /// The JSON ahead of the tensors of a `.safetensors` file: its length in 8 bytes, then the text.
  private func tensorHeader(_ path: String) throws(PlanError) -> [UInt8] {
    let start = try readStart(path, 8)
    guard start.count == 8 else { throw .noHeader(path) }
    let length = start.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(FileReader.largest - 8) else { throw .noHeader(path) }
    return Array(try readStart(path, 8 + Int(length)).dropFirst(8))
  }
}

extension PlanError {
  fileprivate static func noHeader(_ path: String) -> Self {
    Self(
      .syntax, "this is no safetensors file", path: path, fix: "Check that it was written whole.")
  }

  /// The same error, said of a place in a file.
  func inFile(_ file: String) -> Self {
    var error = self
    error.path = path.isEmpty ? file : "\(file), \(path)"
    return error
  }

  fileprivate var asConfig: Self {
    var error = self
    error.fix = "Give the path of a config.json, or a name from \"plan show models\"."
    return error
  }

  fileprivate static var noScenario: Self {
    Self(
      .invalid, "no scenario",
      fix: "Name a file, \"-\" for standard input, or --model with the options; see --help.")
  }

  fileprivate static func missingOption(_ option: Option) -> Self {
    Self(.invalid, "\(option.flag) is missing", fix: "Add \(option.usage): \(option.help).")
  }
}
