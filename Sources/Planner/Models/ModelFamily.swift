/// A kind of model: reads a `config.json`, and writes the forward pass of its layers.
///
/// A new family is one file in `Families/` and one line in ``ModelFamilies/all``.
public protocol ModelFamily: Sendable {
  /// The `model_type` of the configs it reads.
  static var modelType: String { get }
  /// Reads the sizes; a key that the config leaves out has the default of `transformers`.
  ///
  /// Keys that do not matter here are ignored: a `config.json` holds much more than sizes.
  init(_ config: inout Settings) throws(PlanError)
  /// The names of its linear projections, as LoRA's `target_modules` spells them.
  var linearModules: [String] { get }
  /// Whether a decoder writes one sequence while it reads what an encoder made of another; false by default.
  var isEncoderDecoder: Bool { get }
  /// Whether PyTorch's tensor parallelism of its layers is planned; false by default.
  var cutsMatrices: Bool { get }
  /// Whether the head is the embedding, where that matters to how it is cut; false by default.
  var tiesHead: Bool { get }
  /// Whether PyTorch's context parallelism of it is planned; false by default.
  var sharesSequences: Bool { get }
  /// The experts that tokens are shared among, in models that have them; `nil` by default.
  var routedExperts: RoutedExperts? { get }
  /// Whether its attention can run by the flash-attn package; true by default.
  var runsFlashAttention: Bool { get }
  /// What the plan of such a model takes for granted; nothing by default.
  var assumptions: [Assumption] { get }
  /// The sizes of the same model as Megatron's core builds it, where it can; `nil` by default.
  var megatron: MegatronSizes? { get }
  /// The layer graph of one forward pass, from token ids to the loss.
  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph
}

extension ModelFamily {
  /// See ``ModelFamily/isEncoderDecoder``.
  public var isEncoderDecoder: Bool { false }
  /// See ``ModelFamily/cutsMatrices``.
  public var cutsMatrices: Bool { false }
  /// See ``ModelFamily/tiesHead``.
  public var tiesHead: Bool { false }
  /// See ``ModelFamily/sharesSequences``.
  public var sharesSequences: Bool { false }
  /// See ``ModelFamily/routedExperts``.
  public var routedExperts: RoutedExperts? { nil }
  /// See ``ModelFamily/runsFlashAttention``.
  public var runsFlashAttention: Bool { true }
  /// See ``ModelFamily/megatron``.
  public var megatron: MegatronSizes? { nil }
  /// See ``ModelFamily/assumptions``.
  public var assumptions: [Assumption] { [] }
}

/// How many experts a layer has, and how many of them each token goes to.
public struct RoutedExperts: Hashable, Sendable {
  /// Experts of one layer.
  public var count: Int
  /// Different experts that one token goes to.
  public var choices: Int
}

/// The list of model families.
public enum ModelFamilies {
  /// Every family, one line each.
  public static let all: [any ModelFamily.Type] = [
    DeepseekV2.self,
    DeepseekV3.self,
    Gemma.self,
    Gemma2.self,
    Gemma3.self,
    Gemma3Text.self,
    Llama.self,
    Mistral.self,
    Mixtral.self,
    Olmo.self,
    Olmo2.self,
    Phi3.self,
    Qwen2.self,
    Qwen2Moe.self,
    Qwen3.self,
    Qwen3Moe.self,
    GPT2.self,
    GPTNeoX.self,
    Bloom.self,
    Falcon.self,
    OPT.self,
    Phi.self,
    Starcoder2.self,
    Bert.self,
    Roberta.self,
    ViT.self,
    T5.self,
    MegatronGPT.self,
  ]

  /// The family that reads configs of this `model_type`, or `nil`.
  public static func named(_ modelType: String) -> (any ModelFamily.Type)? {
    for family in all where family.modelType == modelType { return family }
    return nil
  }
}
