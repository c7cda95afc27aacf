/// The models that a scenario can name.
public enum ModelCatalog {
  /// Every model, one line for each family.
  public static let all: [CatalogModel] = [
    DeepSeekModels.all,
    GemmaModels.all,
    LlamaModels.all,
    MistralModels.all,
    MixtralModels.all,
    OlmoModels.all,
    Phi3Models.all,
    Qwen2Models.all,
    Qwen3Models.all,
    BloomModels.all,
    FalconModels.all,
    GPT2Models.all,
    GPTNeoXModels.all,
    OPTModels.all,
    PhiModels.all,
    Starcoder2Models.all,
    Qwen3MoeModels.all,
    BertModels.all,
    ViTModels.all,
    T5Models.all,
  ].flatMap { (family: [CatalogModel]) in family }

  /// The model of this name, or of this name on the Hugging Face hub; case does not matter.
  public static func named(_ id: String) -> CatalogModel? {
    let wanted = id.lowercased()
    for model in all where model.id == wanted || model.hub.lowercased() == wanted { return model }
    return nil
  }
}
