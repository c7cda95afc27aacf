/// What the partitioner knows of each operator that families write.
///
/// Source: `get_default_op_list` in PyTorch 2.11's `torch/_functorch/partitioners.py`; its `pointwise_ops` are all
/// operators with the tag `pointwise` in `native_functions.yaml`. Operators that are not in its lists, such as `cat`,
/// `transpose`, `_softmax` and cuDNN's attention, have no trait: only the default budget refuses to run them again.
enum JointOperators {
  static func traits(of name: StaticString) -> JointGraph.Traits {
    switch name.description {
    case "add", "add_", "sub", "mul", "div", "div_", "pow", "rsqrt", "neg", "to", "tanh", "silu",
      "gelu",
      "relu", "sigmoid", "clamp_", "where", "masked_fill", "clone", "sum", "mean", "index",
      "gather",
      "abs", "ge", "le", "gt", "lt", "eq", "ne", "and", "or", "bitwise_not", "full_like",
      "zeros_like", "empty_like", "new_zeros", "arange", "scalar_tensor", "ones", "floor_divide":
      .pointwise
    case "slice", "expand", "select", "permute": .viewing
    case "mm", "addmm", "bmm", "convolution", "scaled_mm", "flash_attention", "efficient_attention":
      .intensive
    case "native_dropout": [.fusible, .random]
    case "cat": .joins
    case "split": [.viewing, .several]
    default: []
    }
  }

  /// Whether a fused kernel can have the operator's backward inside.
  static func fusesBackward(_ name: StaticString) -> Bool {
    switch name.description {
    case "mul", "div", "pow", "rsqrt", "tanh", "silu", "gelu", "relu", "sigmoid", "where",
      "native_dropout", "masked_fill", "clamp_":
      true
    default: false
    }
  }

  /// Operators that backward makes ahead of the one that reads the value: `pow(x, n - 1)` and its product with n.
  static func stepsAhead(_ name: StaticString) -> Int {
    switch name.description {
    case "pow", "rsqrt": 2
    default: 0
    }
  }
}
