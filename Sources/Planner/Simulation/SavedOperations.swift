/// The operators whose results a selective checkpoint keeps; all others are recomputed.
///
/// As `create_selective_checkpoint_contexts` does it: every tensor that such an operator returns is kept from forward
/// to backward, whether backward needs it or not. A recomputation takes it instead of running the operator; what it
/// never comes to is held until the checkpoint is gone.
///
/// Source: `_CachingTorchDispatchMode` and `_CachedTorchDispatchMode` in `torch/utils/checkpoint.py`, PyTorch 2.11.
public struct SavedOperations: Hashable, Sendable {
  /// Operators that can be named.
  public enum Name: String, Hashable, Sendable, CaseIterable {
    /// `aten.mm`: linear layers without a bias.
    case mm
    /// `aten.addmm`: linear layers with one.
    case addmm
    /// `aten.bmm`: the products of eager attention.
    case bmm
    /// The fused kernels of `scaled_dot_product_attention`.
    case attention

    /// Whether an operation of this name is one of them.
    func includes(_ operation: StaticString) -> Bool {
      switch operation.description {
      case "mm": self == .mm
      case "addmm": self == .addmm
      case "bmm": self == .bmm
      case "cudnn_attention", "flash_attention", "efficient_attention": self == .attention
      default: false
      }
    }
  }

  /// The operators, in the order of ``Name``.
  public let names: [Name]
  /// Whether every second `mm` of a layer, beginning with its second, is recomputed all the same.
  public let everySecondProduct: Bool

  /// Keeps the results of these operators.
  public init(_ names: [Name], everySecondProduct: Bool = false) {
    self.names = Name.allCases.filter(names.contains)
    self.everySecondProduct = everySecondProduct
  }

  /// torchtitan's list.
  ///
  /// Source: `_op_sac_save_list` and `_get_custom_policy` in torchtitan's `activation_checkpoint.py`.
  public static let torchtitan = Self([.mm, .attention], everySecondProduct: true)

  /// For each instruction of a program's section: what it is to a selective checkpoint.
  func roles(in program: Program) -> [[Role]] {
    program.sections.map { section in
      var roles = Array(repeating: Role.other, count: section.instructions.count)
      var products = 0
      var open: [Int32: Int] = [:]
      var isSaved = false
      for (index, instruction) in section.instructions.enumerated() {
        switch instruction.code {
        case .record:
          let name = program.operations[Int(instruction.b)].name
          isSaved = names.contains { $0.includes(name) }
          if Name.mm.includes(name) {
            products += 1
            if everySecondProduct, products.isMultiple(of: 2) { isSaved = false }
          }
          if isSaved { roles[index] = .saved }
          open = [:]
        case .allocate, .allocateForGradient:
          guard isSaved else { break }
          roles[index] = .saved
          open[instruction.a] = index
        case .release:
          // What dies before its operator has returned is no result of it.
          if isSaved, let made = open[instruction.a] { roles[made] = .scratch }
        case .link: isSaved = false
        default: break
        }
      }
      return roles
    }
  }

  /// What an instruction is to a selective checkpoint.
  enum Role: UInt8 {
    /// Runs in a recomputation too.
    case other
    /// Makes a tensor that is kept, or begins an operator whose results are.
    case saved
    /// Makes a tensor that dies while such an operator runs.
    case scratch
  }
}
