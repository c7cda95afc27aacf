/// Models of `model_type` `olmo` and `olmo2`.
enum OlmoModels {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "olmo-1b", hub: "allenai/OLMo-1B-hf",
      config: [
        "model_type": "olmo", "vocab_size": 50_304, "hidden_size": 2048,
        "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 16,
        "num_key_value_heads": 16, "hidden_act": "silu", "max_position_embeddings": 2048,
        "clip_qkv": nil, "tie_word_embeddings": true,
      ],
      parameters: 1_176_764_416,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); clip_qkv recalled"),
    CatalogModel(
      id: "olmo-7b", hub: "allenai/OLMo-7B-hf",
      config: [
        "model_type": "olmo", "vocab_size": 50_304, "hidden_size": 4096,
        "intermediate_size": 11_008, "num_hidden_layers": 32, "num_attention_heads": 32,
        "num_key_value_heads": 32, "hidden_act": "silu", "max_position_embeddings": 2048,
        "clip_qkv": nil, "tie_word_embeddings": false,
      ],
      parameters: 6_888_095_744,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); clip_qkv recalled"),
    CatalogModel(
      id: "olmo-2-7b", hub: "allenai/OLMo-2-1124-7B",
      config: [
        "model_type": "olmo2", "vocab_size": 100_352, "hidden_size": 4096,
        "intermediate_size": 11_008, "num_hidden_layers": 32, "num_attention_heads": 32,
        "num_key_value_heads": 32, "hidden_act": "silu", "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-6, "tie_word_embeddings": false,
      ],
      parameters: 7_298_617_344,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
  ]
}
