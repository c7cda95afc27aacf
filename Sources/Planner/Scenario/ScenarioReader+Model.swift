/// Reads `model`: a name from the catalog, the path of a `config.json`, or a config.
extension ScenarioReader {
  func readModel(_ settings: inout Settings) throws(PlanError) -> Model {
    switch settings.value("model") {
    case .string(let name)?: return try model(named: name)
    case .object(let members)?:
      return try model(.object(members), name: nil, path: "model")
    case let other?: throw .badModel(other)
    case nil: throw .noModel
    }
  }

  private func model(named name: String) throws(PlanError) -> Model {
    if let known = ModelCatalog.named(name) {
      return try model(known.config, name: known.id, path: "model")
    }
    for known in ModelCatalog.all where known.hub == name {
      return try model(known.config, name: known.id, path: "model")
    }
    let isFile = name.hasSuffix(".json")
    guard isFile || name.contains("/") || name == "." || name == ".." else {
      throw .unknownName(
        name, "model", among: ModelCatalog.all.map(\.id), path: "model", list: "plan show models")
    }
    let path = isFile ? name : name.hasSuffix("/") ? name + "config.json" : name + "/config.json"
    let config = try loadModelConfig(path)
    do {
      var model = try model(config, name: nil, path: "")
      let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
      model.assumptions += try CheckpointCheck(model, config).assumptions { (file) in
        try? loadModelConfig(folder + file)
      }
      return model
    } catch {
      var error = error
      error.path = error.path.isEmpty ? path : "\(path), \(error.path)"
      throw error
    }
  }

  private func model(_ config: JSONValue, name: String?, path: String) throws(PlanError) -> Model {
    var settings = try Settings(config, path: path)
    let types = families.map { $0.modelType }
    guard let type = try settings.optionalString("model_type") else {
      throw .noModelType(settings.place("model_type"), types)
    }
    if let quantized = settings.value("quantization_config") {
      throw .quantized(quantized, settings.place("quantization_config"))
    }
    guard let family = families.first(where: { $0.modelType == type }) else {
      if let text = settings.value("text_config"), text["model_type"] != nil {
        return try textModel(text, of: type, path: settings.place("text_config"))
      }
      throw .unknownModelType(type, settings.place("model_type"), types)
    }
    return Model(name: name ?? type, family: try family.init(&settings))
  }

  /// The text model of a config that nests it, as multimodal ones do.
  private func textModel(_ text: JSONValue, of type: String, path: String) throws(PlanError)
    -> Model
  {
    var model = try model(text, name: nil, path: path)
    model.assumptions.append(
      Assumption(
        "text_model_alone",
        "the text model of \(type.prefix(80)) alone, trained on text; what is around it is not counted",
        source: "text_config"))
    return model
  }
}

extension PlanError {
  fileprivate static var noModel: Self {
    Self(
      .invalid, "\"model\" is missing", path: "model",
      fix: "Add \"model\": a name from \"plan show models\", or the path of a config.json.")
  }

  fileprivate static func badModel(_ value: JSONValue) -> Self {
    Self(
      .invalid, "expected a model, found \(value.shown)", path: "model",
      fix:
        "Write a name from \"plan show models\", the path of a config.json, or a config as an object."
    )
  }

  fileprivate static func quantized(_ value: JSONValue, _ path: String) -> Self {
    var method = "unknown"
    if case .string(let name)? = value["quant_method"] { method = String(name.prefix(40)) }
    return Self(
      .unsupported, "the checkpoint is quantized (\(method)), and its weights cannot be trained",
      path: path,
      fix:
        "Remove the key to plan the model with unquantized weights; adapters over a quantized base are a \"lora\" setting."
    )
  }

  fileprivate static func noModelType(_ path: String, _ types: [String]) -> Self {
    Self(
      .invalid, "\"model_type\" is missing", path: path,
      fix: "Add \"model_type\": one of \(types.joined(separator: ", ")).")
  }

  fileprivate static func unknownModelType(_ type: String, _ path: String, _ types: [String])
    -> Self
  {
    let all = "Model families so far: \(types.joined(separator: ", "))."
    let nearest = NearestName.of(type, in: types)
    return Self(
      .unsupported, "models of type \"\(type.prefix(80))\" cannot be planned yet", path: path,
      fix: nearest.map { "The nearest is \"\($0)\". \(all)" } ?? all)
  }
}
