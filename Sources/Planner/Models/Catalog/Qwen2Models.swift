/// Models of `model_type` `qwen2`: Qwen2.5.
///
/// The q, k and v projections have biases, which no key says.
enum Qwen2Models {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "qwen2.5-0.5b", hub: "Qwen/Qwen2.5-0.5B",
      config: [
        "model_type": "qwen2", "vocab_size": 151_936,
        "hidden_size": 896, "intermediate_size": 4864,
        "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
        "hidden_act": "silu", "max_position_embeddings": 32_768,
        "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0,
        "use_sliding_window": false, "tie_word_embeddings": true,
      ],
      parameters: 494_032_768,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "qwen2.5-1.5b", hub: "Qwen/Qwen2.5-1.5B",
      config: [
        "model_type": "qwen2", "vocab_size": 151_936,
        "hidden_size": 1536, "intermediate_size": 8960,
        "num_hidden_layers": 28, "num_attention_heads": 12, "num_key_value_heads": 2,
        "hidden_act": "silu", "max_position_embeddings": 131_072,
        "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0,
        "use_sliding_window": false, "tie_word_embeddings": true,
      ],
      parameters: 1_543_714_304,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py (2026-08-22, copies of "
        + "HF config.json)"),
    CatalogModel(
      id: "qwen2.5-3b", hub: "Qwen/Qwen2.5-3B",
      config: [
        "model_type": "qwen2", "vocab_size": 151_936,
        "hidden_size": 2048, "intermediate_size": 11_008,
        "num_hidden_layers": 36, "num_attention_heads": 16, "num_key_value_heads": 2,
        "hidden_act": "silu", "max_position_embeddings": 32_768,
        "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0,
        "use_sliding_window": false, "tie_word_embeddings": true,
      ],
      parameters: 3_085_938_688,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "qwen2.5-7b", hub: "Qwen/Qwen2.5-7B",
      config: [
        "model_type": "qwen2", "vocab_size": 152_064,
        "hidden_size": 3584, "intermediate_size": 18_944,
        "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4,
        "hidden_act": "silu", "max_position_embeddings": 131_072,
        "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0,
        "use_sliding_window": false, "tie_word_embeddings": false,
      ],
      parameters: 7_615_616_512,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py (2026-08-22, copies of "
        + "HF config.json)"),
    CatalogModel(
      id: "qwen2.5-14b", hub: "Qwen/Qwen2.5-14B",
      config: [
        "model_type": "qwen2", "vocab_size": 152_064,
        "hidden_size": 5120, "intermediate_size": 13_824,
        "num_hidden_layers": 48, "num_attention_heads": 40, "num_key_value_heads": 8,
        "hidden_act": "silu", "max_position_embeddings": 131_072,
        "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0,
        "use_sliding_window": false, "tie_word_embeddings": false,
      ],
      parameters: 14_770_033_664,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py (2026-08-22, copies of "
        + "HF config.json)"),
    CatalogModel(
      id: "qwen2.5-32b", hub: "Qwen/Qwen2.5-32B",
      config: [
        "model_type": "qwen2", "vocab_size": 152_064,
        "hidden_size": 5120, "intermediate_size": 27_648,
        "num_hidden_layers": 64, "num_attention_heads": 40, "num_key_value_heads": 8,
        "hidden_act": "silu", "max_position_embeddings": 131_072,
        "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0,
        "use_sliding_window": false, "tie_word_embeddings": false,
      ],
      parameters: 32_763_876_352,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "qwen2.5-72b", hub: "Qwen/Qwen2.5-72B",
      config: [
        "model_type": "qwen2", "vocab_size": 152_064,
        "hidden_size": 8192, "intermediate_size": 29_568,
        "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8,
        "hidden_act": "silu", "max_position_embeddings": 131_072,
        "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0,
        "use_sliding_window": false, "tie_word_embeddings": false,
      ],
      parameters: 72_706_203_648,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
  ]
}
