/// Models of `model_type` `bloom`.
enum BloomModels {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "bloom-7b1", hub: "bigscience/bloom-7b1",
      config: [
        "model_type": "bloom", "vocab_size": 250_880, "hidden_size": 4096,
        "n_layer": 30, "n_head": 32,
        "hidden_dropout": 0.0, "attention_dropout": 0.0, "tie_word_embeddings": true,
      ],
      parameters: 7_069_016_064,
      source: "cli99/llm-analysis llm_analysis/model_configs (dumped from HF config.json)")
  ]
}
