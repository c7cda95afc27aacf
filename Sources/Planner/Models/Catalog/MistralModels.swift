/// Models of `model_type` `mistral`.
///
/// A config without `sliding_window` means 4,096 to `transformers`, so a model without a window
/// says `nil`.
enum MistralModels {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "mistral-7b-v0.1", hub: "mistralai/Mistral-7B-v0.1",
      config: [
        "model_type": "mistral", "vocab_size": 32_000,
        "hidden_size": 4096, "intermediate_size": 14_336,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
        "hidden_act": "silu", "max_position_embeddings": 32_768,
        "rms_norm_eps": 1e-5, "rope_theta": 10_000.0,
        "sliding_window": 4096, "tie_word_embeddings": false,
      ],
      parameters: 7_241_732_096,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "huggingface.co/Undi95/Mistral-RP-0.1-7B/config.json (names Mistral-7B-v0.1)"),
    CatalogModel(
      id: "mistral-7b-v0.3", hub: "mistralai/Mistral-7B-v0.3",
      config: [
        "model_type": "mistral", "vocab_size": 32_768,
        "hidden_size": 4096, "intermediate_size": 14_336,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
        "hidden_act": "silu", "max_position_embeddings": 32_768,
        "rms_norm_eps": 1e-5, "rope_theta": 1_000_000.0,
        "sliding_window": nil, "tie_word_embeddings": false,
      ],
      parameters: 7_248_023_552,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "codestral-22b", hub: "mistralai/Codestral-22B-v0.1",
      config: [
        "model_type": "mistral", "vocab_size": 32_768,
        "hidden_size": 6144, "intermediate_size": 16_384,
        "num_hidden_layers": 56, "num_attention_heads": 48, "num_key_value_heads": 8,
        "hidden_act": "silu", "max_position_embeddings": 32_768,
        "rms_norm_eps": 1e-5, "rope_theta": 1_000_000.0,
        "sliding_window": nil, "tie_word_embeddings": false,
      ],
      parameters: 22_247_282_688,
      source: "huggingface.co/minchyeom/letta/config.json (fine-tune of "
        + "Mistral-Small-Instruct-2409), whose shape Codestral shares (recalled)"),
    CatalogModel(
      id: "mistral-small-22b-2409", hub: "mistralai/Mistral-Small-Instruct-2409",
      config: [
        "model_type": "mistral", "vocab_size": 32_768,
        "hidden_size": 6144, "intermediate_size": 16_384,
        "num_hidden_layers": 56, "num_attention_heads": 48, "num_key_value_heads": 8,
        "hidden_act": "silu", "max_position_embeddings": 32_768,
        "rms_norm_eps": 1e-5, "rope_theta": 1_000_000.0,
        "sliding_window": nil, "tie_word_embeddings": false,
      ],
      parameters: 22_247_282_688,
      source: "huggingface.co/minchyeom/letta/config.json (fine-tune of "
        + "Mistral-Small-Instruct-2409)"),
    CatalogModel(
      id: "mistral-small-24b-2501", hub: "mistralai/Mistral-Small-24B-Base-2501",
      config: [
        "model_type": "mistral", "vocab_size": 131_072,
        "hidden_size": 5120, "intermediate_size": 32_768,
        "num_hidden_layers": 40, "num_attention_heads": 32,
        "num_key_value_heads": 8, "head_dim": 128,
        "hidden_act": "silu", "max_position_embeddings": 32_768,
        "rms_norm_eps": 1e-5, "rope_theta": 100_000_000.0,
        "sliding_window": nil, "tie_word_embeddings": false,
      ],
      parameters: 23_572_403_200,
      source: "huggingface.co/unsloth/Mistral-Small-24B-Instruct-2501-GGUF/config.json; "
        + "estrogen/Mistral-Small-24b-Sertraline (names Mistral-Small-24B-Base-2501)"),
    CatalogModel(
      id: "mistral-large-2411", hub: "mistralai/Mistral-Large-Instruct-2411",
      config: [
        "model_type": "mistral", "vocab_size": 32_768,
        "hidden_size": 12_288, "intermediate_size": 28_672,
        "num_hidden_layers": 88, "num_attention_heads": 96, "num_key_value_heads": 8,
        "hidden_act": "silu", "max_position_embeddings": 131_072,
        "rms_norm_eps": 1e-5, "rope_theta": 1_000_000.0,
        "sliding_window": nil, "tie_word_embeddings": false,
      ],
      parameters: 122_610_069_504,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); max_position_embeddings "
        + "recalled"),
  ]
}
