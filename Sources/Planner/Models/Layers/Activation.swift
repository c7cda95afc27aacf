/// The activation function of an MLP, by what it costs.
enum Activation: Sendable {
  case silu
  case gelu
  case relu

  /// Reads the name that `transformers` gives it.
  init(_ config: inout Settings, key: String, default: Activation) throws(PlanError) {
    switch try config.optionalString(key) {
    case nil: self = `default`
    case "silu", "swish": self = .silu
    case "gelu", "gelu_pytorch_tanh": self = .gelu
    case "relu": self = .relu
    case let name?:
      throw PlanError(
        .unsupported, "the activation \"\(name.prefix(40))\" is not planned",
        path: config.place(key),
        fix: "Use \"silu\", \"gelu\", \"gelu_pytorch_tanh\" or \"relu\".")
    }
  }

  /// Runs it.
  func callAsFunction(_ x: Value, in f: inout Forward) -> Value {
    switch self {
    case .silu: f.silu(x)
    case .gelu: f.gelu(x)
    case .relu: f.relu(x)
    }
  }
}
