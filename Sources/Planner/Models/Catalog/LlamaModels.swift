/// Models of `model_type` `llama`.
///
/// `rope_scaling` of Llama 3.1 and 3.2 is left out: it changes angles, no size.
enum LlamaModels {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "llama-2-7b", hub: "meta-llama/Llama-2-7b-hf",
      config: [
        "model_type": "llama", "vocab_size": 32_000,
        "hidden_size": 4096, "intermediate_size": 11_008,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
        "hidden_act": "silu", "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5, "rope_theta": 10_000.0,
        "attention_bias": false, "mlp_bias": false, "tie_word_embeddings": false,
      ],
      parameters: 6_738_415_616,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "llama-2-13b", hub: "meta-llama/Llama-2-13b-hf",
      config: [
        "model_type": "llama", "vocab_size": 32_000,
        "hidden_size": 5120, "intermediate_size": 13_824,
        "num_hidden_layers": 40, "num_attention_heads": 40, "num_key_value_heads": 40,
        "hidden_act": "silu", "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5, "rope_theta": 10_000.0,
        "attention_bias": false, "mlp_bias": false, "tie_word_embeddings": false,
      ],
      parameters: 13_015_864_320,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "llama-2-70b", hub: "meta-llama/Llama-2-70b-hf",
      config: [
        "model_type": "llama", "vocab_size": 32_000,
        "hidden_size": 8192, "intermediate_size": 28_672,
        "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8,
        "hidden_act": "silu", "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5, "rope_theta": 10_000.0,
        "attention_bias": false, "mlp_bias": false, "tie_word_embeddings": false,
      ],
      parameters: 68_976_648_192,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "llama-3-8b", hub: "meta-llama/Meta-Llama-3-8B",
      config: [
        "model_type": "llama", "vocab_size": 128_256,
        "hidden_size": 4096, "intermediate_size": 14_336,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
        "hidden_act": "silu", "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5, "rope_theta": 500_000.0,
        "attention_bias": false, "mlp_bias": false, "tie_word_embeddings": false,
      ],
      parameters: 8_030_261_248,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py (2026-08-22, copies of "
        + "HF config.json)"),
    CatalogModel(
      id: "llama-3-70b", hub: "meta-llama/Meta-Llama-3-70B",
      config: [
        "model_type": "llama", "vocab_size": 128_256,
        "hidden_size": 8192, "intermediate_size": 28_672,
        "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8,
        "hidden_act": "silu", "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5, "rope_theta": 500_000.0,
        "attention_bias": false, "mlp_bias": false, "tie_word_embeddings": false,
      ],
      parameters: 70_553_706_496,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py (2026-08-22, copies of "
        + "HF config.json)"),
    CatalogModel(
      id: "llama-3.1-405b", hub: "meta-llama/Llama-3.1-405B",
      config: [
        "model_type": "llama", "vocab_size": 128_256,
        "hidden_size": 16_384, "intermediate_size": 53_248,
        "num_hidden_layers": 126, "num_attention_heads": 128, "num_key_value_heads": 8,
        "hidden_act": "silu", "max_position_embeddings": 131_072,
        "rms_norm_eps": 1e-5, "rope_theta": 500_000.0,
        "attention_bias": false, "mlp_bias": false, "tie_word_embeddings": false,
      ],
      parameters: 405_853_388_800,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py (2026-08-22, copies of "
        + "HF config.json)"),
    CatalogModel(
      id: "llama-3.2-1b", hub: "meta-llama/Llama-3.2-1B",
      config: [
        "model_type": "llama", "vocab_size": 128_256,
        "hidden_size": 2048, "intermediate_size": 8192,
        "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8,
        "hidden_act": "silu", "max_position_embeddings": 131_072,
        "rms_norm_eps": 1e-5, "rope_theta": 500_000.0,
        "attention_bias": false, "mlp_bias": false, "tie_word_embeddings": true,
      ],
      parameters: 1_235_814_400,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "llama-3.2-3b", hub: "meta-llama/Llama-3.2-3B",
      config: [
        "model_type": "llama", "vocab_size": 128_256,
        "hidden_size": 3072, "intermediate_size": 8192,
        "num_hidden_layers": 28, "num_attention_heads": 24, "num_key_value_heads": 8,
        "hidden_act": "silu", "max_position_embeddings": 131_072,
        "rms_norm_eps": 1e-5, "rope_theta": 500_000.0,
        "attention_bias": false, "mlp_bias": false, "tie_word_embeddings": true,
      ],
      parameters: 3_212_749_824,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "tinyllama-1.1b", hub: "TinyLlama/TinyLlama-1.1B-intermediate-step-1431k-3T",
      config: [
        "model_type": "llama", "vocab_size": 32_000,
        "hidden_size": 2048, "intermediate_size": 5632,
        "num_hidden_layers": 22, "num_attention_heads": 32, "num_key_value_heads": 4,
        "hidden_act": "silu", "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-5, "rope_theta": 10_000.0,
        "attention_bias": false, "mlp_bias": false, "tie_word_embeddings": false,
      ],
      parameters: 1_100_048_384,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
  ]
}
