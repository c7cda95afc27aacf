/// Models of `model_type` `qwen3`.
///
/// `head_dim` is 128 even where hidden size over heads is not; q and k have norms of their own.
enum Qwen3Models {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "qwen3-0.6b", hub: "Qwen/Qwen3-0.6B",
      config: [
        "model_type": "qwen3", "vocab_size": 151_936,
        "hidden_size": 1024, "intermediate_size": 3072,
        "num_hidden_layers": 28, "num_attention_heads": 16,
        "num_key_value_heads": 8, "head_dim": 128,
        "hidden_act": "silu", "max_position_embeddings": 40_960,
        "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0,
        "use_sliding_window": false, "attention_bias": false, "tie_word_embeddings": true,
      ],
      parameters: 596_049_920,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py (2026-08-22, copies of "
        + "HF config.json)"),
    CatalogModel(
      id: "qwen3-1.7b", hub: "Qwen/Qwen3-1.7B",
      config: [
        "model_type": "qwen3", "vocab_size": 151_936,
        "hidden_size": 2048, "intermediate_size": 6144,
        "num_hidden_layers": 28, "num_attention_heads": 16,
        "num_key_value_heads": 8, "head_dim": 128,
        "hidden_act": "silu", "max_position_embeddings": 40_960,
        "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0,
        "use_sliding_window": false, "attention_bias": false, "tie_word_embeddings": true,
      ],
      parameters: 1_720_574_976,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py (2026-08-22, copies of "
        + "HF config.json)"),
    CatalogModel(
      id: "qwen3-4b", hub: "Qwen/Qwen3-4B",
      config: [
        "model_type": "qwen3", "vocab_size": 151_936,
        "hidden_size": 2560, "intermediate_size": 9728,
        "num_hidden_layers": 36, "num_attention_heads": 32,
        "num_key_value_heads": 8, "head_dim": 128,
        "hidden_act": "silu", "max_position_embeddings": 40_960,
        "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0,
        "use_sliding_window": false, "attention_bias": false, "tie_word_embeddings": true,
      ],
      parameters: 4_022_468_096,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py (2026-08-22, copies of "
        + "HF config.json)"),
    CatalogModel(
      id: "qwen3-8b", hub: "Qwen/Qwen3-8B",
      config: [
        "model_type": "qwen3", "vocab_size": 151_936,
        "hidden_size": 4096, "intermediate_size": 12_288,
        "num_hidden_layers": 36, "num_attention_heads": 32,
        "num_key_value_heads": 8, "head_dim": 128,
        "hidden_act": "silu", "max_position_embeddings": 40_960,
        "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0,
        "use_sliding_window": false, "attention_bias": false, "tie_word_embeddings": false,
      ],
      parameters: 8_190_735_360,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py (2026-08-22, copies of "
        + "HF config.json); aliyun/SimAI vidur-alibabacloud/data/hf_configs (verbatim HF "
        + "config.json)"),
    CatalogModel(
      id: "qwen3-14b", hub: "Qwen/Qwen3-14B",
      config: [
        "model_type": "qwen3", "vocab_size": 151_936,
        "hidden_size": 5120, "intermediate_size": 17_408,
        "num_hidden_layers": 40, "num_attention_heads": 40,
        "num_key_value_heads": 8, "head_dim": 128,
        "hidden_act": "silu", "max_position_embeddings": 40_960,
        "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0,
        "use_sliding_window": false, "attention_bias": false, "tie_word_embeddings": false,
      ],
      parameters: 14_768_307_200,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py (2026-08-22, copies of "
        + "HF config.json)"),
    CatalogModel(
      id: "qwen3-32b", hub: "Qwen/Qwen3-32B",
      config: [
        "model_type": "qwen3", "vocab_size": 151_936,
        "hidden_size": 5120, "intermediate_size": 25_600,
        "num_hidden_layers": 64, "num_attention_heads": 64,
        "num_key_value_heads": 8, "head_dim": 128,
        "hidden_act": "silu", "max_position_embeddings": 40_960,
        "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0,
        "use_sliding_window": false, "attention_bias": false, "tie_word_embeddings": false,
      ],
      parameters: 32_762_123_264,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py (2026-08-22, copies of "
        + "HF config.json)"),
  ]
}
