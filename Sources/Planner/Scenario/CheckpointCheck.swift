/// Compares a config with the checkpoint beside it: both must describe as many parameters.
///
/// A sharded checkpoint has `model.safetensors.index.json`, whose metadata say how many bytes, or parameters, there
/// are; a single `model.safetensors` begins with a header that lists every tensor with its shape.
///
/// Source: the safetensors format; `save_pretrained` of transformers 5.17.
struct CheckpointCheck {
  private let model: Model
  private let config: JSONValue

  init(_ model: Model, _ config: JSONValue) {
    self.model = model
    self.config = config
  }

  /// What the comparison says; nothing where there is no checkpoint.
  ///
  /// - Parameter load: The JSON of a file beside the config (of a `.safetensors` file its header), or `nil`.
  /// - Throws: ``PlanError/Kind/conflict`` where the two differ by more than one in a thousand.
  func assumptions(_ load: (String) -> JSONValue?) throws(PlanError) -> [Assumption] {
    if let index = load("model.safetensors.index.json"), let found = parameters(ofIndex: index) {
      return [try compared(found, "model.safetensors.index.json")]
    }
    if let header = load("model.safetensors"), let found = parameters(ofHeader: header) {
      return [try compared(found, "model.safetensors")]
    }
    return []
  }

  private func compared(_ found: Int, _ file: String) throws(PlanError) -> Assumption {
    let described = try Self.parameters(of: model.family)
    guard abs(found - described) <= described / 1000 else {
      throw PlanError(
        .conflict,
        "the config describes \(described) parameters, but \(file) holds \(found)",
        fix: "Check that both belong together, or move the config away from the checkpoint.")
    }
    return Assumption(
      "checkpoint_size", "\(found) parameters in \(file), \(described) by the config",
      source: file)
  }

  /// Every weight of a model, tied ones once.
  private static func parameters(of family: any ModelFamily) throws(PlanError) -> Int {
    var total = 0
    for weight in TrainingStep.weights(of: try family.graph(ForwardContext())) {
      let (count, overflow) = weight.spec.elements.multipliedReportingOverflow(by: weight.count)
      let (sum, over) = total.addingReportingOverflow(count)
      guard !overflow, !over else { throw .overflow("parameters", "the sum of all weights") }
      total = sum
    }
    return total
  }

  private func parameters(ofIndex index: JSONValue) -> Int? {
    if case .integer(let count)? = index["metadata"]?["total_parameters"] { return count }
    guard case .integer(let bytes)? = index["metadata"]?["total_size"], bytes >= 0 else {
      return nil
    }
    guard case .string(let format)? = config["dtype"] ?? config["torch_dtype"] else { return nil }
    switch format {
    case "float32": return bytes / 4
    case "bfloat16", "float16": return bytes / 2
    default: return nil
    }
  }

  private func parameters(ofHeader header: JSONValue) -> Int? {
    guard case .object(let tensors) = header else { return nil }
    var total = 0
    for tensor in tensors where tensor.key != "__metadata__" {
      guard case .array(let shape)? = tensor.value["shape"] else { return nil }
      var elements = 1
      for dimension in shape {
        guard case .integer(let size) = dimension, size >= 0 else { return nil }
        let (product, overflow) = elements.multipliedReportingOverflow(by: size)
        guard !overflow else { return nil }
        elements = product
      }
      let (sum, overflow) = total.addingReportingOverflow(elements)
      guard !overflow else { return nil }
      total = sum
    }
    return total
  }
}
