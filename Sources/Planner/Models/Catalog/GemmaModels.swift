/// Models of `model_type` `gemma`, `gemma2` and `gemma3_text`.
///
/// Of the Gemma 3 models from 4B on, this is the text model; their vision tower and projector have about
/// 420 million parameters more.
enum GemmaModels {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "gemma-2b", hub: "google/gemma-2b",
      config: [
        "model_type": "gemma", "vocab_size": 256_000, "hidden_size": 2048,
        "intermediate_size": 16_384, "num_hidden_layers": 18, "num_attention_heads": 8,
        "num_key_value_heads": 1, "head_dim": 256, "hidden_act": "gelu_pytorch_tanh",
        "max_position_embeddings": 8192, "rms_norm_eps": 1e-6, "tie_word_embeddings": true,
      ],
      parameters: 2_506_172_416,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "max_position_embeddings recalled"),
    CatalogModel(
      id: "gemma-7b", hub: "google/gemma-7b",
      config: [
        "model_type": "gemma", "vocab_size": 256_000, "hidden_size": 3072,
        "intermediate_size": 24_576, "num_hidden_layers": 28, "num_attention_heads": 16,
        "num_key_value_heads": 16, "head_dim": 256, "hidden_act": "gelu_pytorch_tanh",
        "max_position_embeddings": 8192, "rms_norm_eps": 1e-6, "tie_word_embeddings": true,
      ],
      parameters: 8_537_680_896,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "max_position_embeddings recalled"),
    CatalogModel(
      id: "gemma-2-2b", hub: "google/gemma-2-2b",
      config: [
        "model_type": "gemma2", "vocab_size": 256_000, "hidden_size": 2304,
        "intermediate_size": 9216, "num_hidden_layers": 26, "num_attention_heads": 8,
        "num_key_value_heads": 4, "head_dim": 256, "hidden_activation": "gelu_pytorch_tanh",
        "max_position_embeddings": 8192, "sliding_window": 4096,
        "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
        "tie_word_embeddings": true,
      ],
      parameters: 2_614_341_888,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py "
        + "(2026-08-22, copies of HF config.json)"),
    CatalogModel(
      id: "gemma-2-9b", hub: "google/gemma-2-9b",
      config: [
        "model_type": "gemma2", "vocab_size": 256_000, "hidden_size": 3584,
        "intermediate_size": 14_336, "num_hidden_layers": 42, "num_attention_heads": 16,
        "num_key_value_heads": 8, "head_dim": 256, "hidden_activation": "gelu_pytorch_tanh",
        "max_position_embeddings": 8192, "sliding_window": 4096,
        "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
        "tie_word_embeddings": true,
      ],
      parameters: 9_241_705_984,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py "
        + "(2026-08-22, copies of HF config.json)"),
    CatalogModel(
      id: "gemma-2-27b", hub: "google/gemma-2-27b",
      config: [
        "model_type": "gemma2", "vocab_size": 256_000, "hidden_size": 4608,
        "intermediate_size": 36_864, "num_hidden_layers": 46, "num_attention_heads": 32,
        "num_key_value_heads": 16, "head_dim": 128, "hidden_activation": "gelu_pytorch_tanh",
        "max_position_embeddings": 8192, "sliding_window": 4096,
        "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
        "tie_word_embeddings": true,
      ],
      parameters: 27_227_128_320,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py "
        + "(2026-08-22, copies of HF config.json)"),
    CatalogModel(
      id: "gemma-3-1b", hub: "google/gemma-3-1b-pt",
      config: [
        "model_type": "gemma3_text", "vocab_size": 262_144, "hidden_size": 1152,
        "intermediate_size": 6912, "num_hidden_layers": 26, "num_attention_heads": 4,
        "num_key_value_heads": 1, "head_dim": 256, "hidden_activation": "gelu_pytorch_tanh",
        "max_position_embeddings": 32_768, "sliding_window": 512,
        "sliding_window_pattern": 6, "tie_word_embeddings": true,
      ],
      parameters: 999_885_952,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "max_position_embeddings recalled"),
    CatalogModel(
      id: "gemma-3-4b", hub: "google/gemma-3-4b-pt",
      config: [
        "model_type": "gemma3_text", "vocab_size": 262_208, "hidden_size": 2560,
        "intermediate_size": 10_240, "num_hidden_layers": 34, "num_attention_heads": 8,
        "num_key_value_heads": 4, "head_dim": 256, "hidden_activation": "gelu_pytorch_tanh",
        "max_position_embeddings": 131_072, "sliding_window": 1024,
        "sliding_window_pattern": 6, "tie_word_embeddings": true,
      ],
      parameters: 3_880_263_168,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py "
        + "(2026-08-22, copies of HF config.json); vocab_size, "
        + "max_position_embeddings recalled"),
    CatalogModel(
      id: "gemma-3-12b", hub: "google/gemma-3-12b-pt",
      config: [
        "model_type": "gemma3_text", "vocab_size": 262_208, "hidden_size": 3840,
        "intermediate_size": 15_360, "num_hidden_layers": 48, "num_attention_heads": 16,
        "num_key_value_heads": 8, "head_dim": 256, "hidden_activation": "gelu_pytorch_tanh",
        "max_position_embeddings": 131_072, "sliding_window": 1024,
        "sliding_window_pattern": 6, "tie_word_embeddings": true,
      ],
      parameters: 11_766_034_176,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py "
        + "(2026-08-22, copies of HF config.json); vocab_size, "
        + "max_position_embeddings recalled"),
    CatalogModel(
      id: "gemma-3-27b", hub: "google/gemma-3-27b-pt",
      config: [
        "model_type": "gemma3_text", "vocab_size": 262_208, "hidden_size": 5376,
        "intermediate_size": 21_504, "num_hidden_layers": 62, "num_attention_heads": 32,
        "num_key_value_heads": 16, "head_dim": 128, "hidden_activation": "gelu_pytorch_tanh",
        "max_position_embeddings": 131_072, "sliding_window": 1024,
        "sliding_window_pattern": 6, "tie_word_embeddings": true,
      ],
      parameters: 27_009_346_304,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext "
        + "src/maxtext/checkpoint_conversion/utils/hf_model_configs.py "
        + "(2026-08-22, copies of HF config.json); vocab_size, "
        + "max_position_embeddings recalled"),
  ]
}
