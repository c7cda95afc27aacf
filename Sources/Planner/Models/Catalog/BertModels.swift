/// Models of `model_type` `bert`, counted with the masked-language head that they are planned with.
enum BertModels {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "bert-base", hub: "google-bert/bert-base-uncased",
      config: [
        "model_type": "bert", "vocab_size": 30_522, "hidden_size": 768,
        "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
        "max_position_embeddings": 512, "type_vocab_size": 2, "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 109_514_298,
      source: "cli99/llm-analysis llm_analysis/model_configs (dumped from HF config.json); "
        + "transformers 5.23.0 class defaults"),
    CatalogModel(
      id: "bert-large", hub: "google-bert/bert-large-uncased",
      config: [
        "model_type": "bert", "vocab_size": 30_522, "hidden_size": 1024,
        "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16,
        "max_position_embeddings": 512, "type_vocab_size": 2, "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 335_174_458,
      source: "cli99/llm-analysis llm_analysis/model_configs (dumped from HF config.json); "
        + "transformers 5.23.0 class defaults"),
  ]
}
