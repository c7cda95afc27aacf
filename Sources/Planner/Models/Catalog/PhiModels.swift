/// Models of `model_type` `phi`.
///
/// The dropouts are recalled; `transformers` defaults to none.
enum PhiModels {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "phi-2", hub: "microsoft/phi-2",
      config: [
        "model_type": "phi", "vocab_size": 51_200, "hidden_size": 2560,
        "intermediate_size": 10_240, "num_hidden_layers": 32,
        "num_attention_heads": 32, "hidden_act": "gelu_new",
        "partial_rotary_factor": 0.4, "resid_pdrop": 0.1, "embd_pdrop": 0.0,
        "max_position_embeddings": 2048, "tie_word_embeddings": false,
      ],
      parameters: 2_779_683_840,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)")
  ]
}
