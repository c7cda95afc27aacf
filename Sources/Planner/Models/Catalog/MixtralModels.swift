/// Models of `model_type` `mixtral`.
enum MixtralModels {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "mixtral-8x7b", hub: "mistralai/Mixtral-8x7B-v0.1",
      config: [
        "model_type": "mixtral", "vocab_size": 32_000,
        "hidden_size": 4096, "intermediate_size": 14_336,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
        "num_local_experts": 8, "num_experts_per_tok": 2,
        "hidden_act": "silu", "max_position_embeddings": 32_768,
        "rms_norm_eps": 1e-5, "rope_theta": 1_000_000.0,
        "sliding_window": nil, "tie_word_embeddings": false,
      ],
      parameters: 46_702_792_704,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext hf_model_configs.py (2026-08-22)"),
    CatalogModel(
      id: "mixtral-8x22b", hub: "mistralai/Mixtral-8x22B-v0.1",
      config: [
        "model_type": "mixtral", "vocab_size": 32_768,
        "hidden_size": 6144, "intermediate_size": 16_384,
        "num_hidden_layers": 56, "num_attention_heads": 48, "num_key_value_heads": 8,
        "num_local_experts": 8, "num_experts_per_tok": 2,
        "hidden_act": "silu", "max_position_embeddings": 65_536,
        "rms_norm_eps": 1e-5, "rope_theta": 1_000_000.0,
        "sliding_window": nil, "tie_word_embeddings": false,
      ],
      parameters: 140_630_071_296,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); the first upload had a "
        + "vocabulary of 32,000; AI-Hypercomputer/maxtext hf_model_configs.py (2026-08-22)"),
  ]
}
