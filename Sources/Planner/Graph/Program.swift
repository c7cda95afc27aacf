/// The forward pass of a model as straight-line code over registers: what the families write.
///
/// Section 0 is the model around its layers; the others are one distinct layer each.
struct Program: Sendable {
  /// The instructions of each section.
  var sections: [Section] = [Section()]
  var operations: ContiguousArray<Operation> = []
  var registers: ContiguousArray<Int32> = []
  var saves: ContiguousArray<Save> = []
  var steps: ContiguousArray<BackwardStep> = []
  var leaves: ContiguousArray<Leaf> = []
  var registerCount: Int32 = 0
  /// The bytes of each register's tensor; of a view its own, not those of the memory that it lies in.
  var sizes: ContiguousArray<Int> = []
  /// Whether a matrix product adds a bias, which cuBLASLt does in a workspace of its own.
  var addsBias = false
  /// Whether a matrix product is in 8-bit floating point, forward and backward both by cuBLASLt.
  var multipliesInFloat8 = false
  /// Whether a router of Megatron's sends tokens to experts.
  var routes = false
  /// Whether Transformer Engine multiplies groups of rows with matrices of their own.
  var groupsProducts = false
  /// The register of the loss.
  var loss: Int32 = -1
  /// The register of the logits, where the caller holds the model's output until the step ends.
  var heldOutput: Int32 = -1
  /// The register of what else that output holds, or -1.
  var alsoHeld: Int32 = -1
  /// Modules that run several operations with weights of their own.
  var spans: [Span] = []
  /// How many tensors are made leaves that want a gradient.
  var requirements: Int32 = 0

  /// The operations of a module that has weights of its own beside those of projections.
  struct Span: Sendable {
    /// What the module is.
    enum Kind: Sendable {
      /// All experts of a mixture, whose weights lie side by side.
      case experts
      /// A mixture with its router and its experts.
      case mixture
    }
    let kind: Kind
    /// A range of ``Program/operations``.
    let operations: Range<Int>
  }

  /// Straight-line code, run once for each layer (section 0: once).
  struct Section: Sendable {
    /// What the section is called: `layers`.
    var name: StaticString = "model"
    var instructions: ContiguousArray<Instruction> = []
    /// The registers that it sets.
    var registers: Range<Int32> = 0..<0
    /// Where it finds the residual stream.
    var input: Int32 = -1
    /// Where it leaves it.
    var output: Int32 = -1
    /// What it returns besides, which the model holds until the next layer has returned, or -1.
    var kept: Int32 = -1
    /// Registers of the model that it reads, and that a checkpoint of it holds.
    var arguments: ContiguousArray<Int32> = []
    /// Those of them that it is called with by position, which a checkpoint saves as it does the residual stream.
    var positional: ContiguousArray<Int32> = []
    /// Its weights, as a range of ``Program/leaves``.
    var leaves = 0..<0
  }

  /// A weight.
  struct Leaf: Sendable {
    let name: StaticString
    let register: Int32
    let spec: TensorSpec
    /// Its first dimension, which sharding cuts.
    let leading: Int
    /// The format that it is kept in between steps, where sharded weights are cast as they are gathered.
    let stored: DType
    let trainable: Bool
    /// The bytes of each tensor that holds it.
    let tensors: [Int]
    /// What is allocated while it is quantized, and freed again.
    var loading: [Int] = []
    /// How many gradients arrive for it in one backward pass of its section.
    var uses: Int32 = 0
    /// Elements of the whole weight, where several devices share it.
    var whole: Int?
    /// Whether its gradient is laid out over devices as the weight is not.
    var redistributesGradient = false
    /// Elements that one token is computed with, where that is not all of them.
    var active: Int?
    /// How many matrices it holds, side by side.
    var matrices = 1
    /// Whether a matrix product takes it as `F.linear` does.
    var isMultiplied = false
    /// Whether rows of it are looked up.
    var isTable = false
  }
}

/// What the running forward does next.
struct Instruction: Sendable {
  enum Code: UInt8, Sendable {
    /// Register `a` becomes a new tensor of `bytes`.
    case allocate
    /// As ``allocate``, if autograd records operation `b`.
    case allocateForGradient
    /// Register `a` lets go of its tensor.
    case release
    /// Register `a` becomes another name of register `b`'s tensor, outside autograd.
    case alias
    /// Register `a` becomes another name of register `b`'s tensor, where autograd's graph keeps tensors now.
    case keep
    /// Autograd records operation `b`: its inputs are saved.
    case record
    /// Operation `b` has run: its outputs join the graph, and are saved.
    case link
    /// The graph keeps register `a`'s tensor until it dies, if autograd records operation `b`.
    case hold
    /// Autocast keeps register `a`'s tensor until its region ends.
    case cache
    /// Register `a` becomes a leaf that wants a gradient, the one with number `b`.
    case require
    /// Register `a` becomes the `bytes` that the stage before sent, the leaf with number `b`: only in a part of a model.
    case receive
    /// All layers of a stack run; register `a` holds the residual stream before and after, `b` what layers return besides.
    case layers
  }

  let code: Code
  var role: Role = .activations
  /// Which of the model's stacks of layers runs.
  var stack: UInt8 = 0
  let a: Int32
  var b: Int32 = -1
  var bytes = 0
}

/// A model's forward pass with the order of its layers.
public struct LayerGraph: Sendable {
  /// The code of the model and of each distinct layer.
  var program: Program
  /// Its layers, stack by stack in the order in which they run; most models have one stack.
  var stacks: [LayerStack]
  /// Bytes of each buffer that the model keeps on the device: rotary frequencies.
  var buffers: [Int] = []
  /// Bytes of each tensor of a micro-batch that the loop holds; `nil` for token ids that are their own labels.
  var inputs: [Int]?
  /// The number of its first layer, where it is a part of a model.
  var firstLayer = 0

  /// A model of several stacks.
  init(program: Program, stacks: [LayerStack], inputs: [Int]? = nil) {
    (self.program, self.stacks, self.inputs) = (program, stacks, inputs)
  }

  /// A model of one stack.
  init(
    program: Program, leading: LeadingLayers? = nil, pattern: [Int], layers: Int,
    buffers: [Int] = [], inputs: [Int]? = nil
  ) {
    self.program = program
    stacks = [LayerStack(leading: leading, pattern: pattern, layers: layers)]
    (self.buffers, self.inputs) = (buffers, inputs)
  }

  /// How many layers all stacks have.
  var layers: Int { stacks.reduce(0) { $0 + $1.layers } }
}

/// Layers that follow each other over one residual stream.
struct LayerStack: Hashable, Sendable {
  /// What a model with several stacks calls it: `decoder`.
  var name = ""
  /// Layers ahead of the pattern.
  var leading: LeadingLayers?
  /// Which section each layer runs: a pattern over the sections, repeated to the number of layers.
  var pattern: [Int]
  /// How many layers there are.
  var layers: Int
  /// Whether its layers read a tensor from outside that wants a gradient, which they add up one after the other.
  var sharesGradients = false
}

/// The first layers of a stack where they differ from all others: `count` layers of one section.
struct LeadingLayers: Hashable, Sendable {
  var section: Int
  var count: Int
}
