/// Models of `model_type` `phi3`.
///
/// `rope_scaling` is left out: it changes angles, no size.
enum Phi3Models {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "phi-3-mini", hub: "microsoft/Phi-3-mini-4k-instruct",
      config: [
        "model_type": "phi3", "vocab_size": 32_064, "hidden_size": 3072,
        "intermediate_size": 8192, "num_hidden_layers": 32, "num_attention_heads": 32,
        "num_key_value_heads": 32, "hidden_act": "silu", "max_position_embeddings": 4096,
        "sliding_window": 2047, "rms_norm_eps": 1e-5, "tie_word_embeddings": false,
      ],
      parameters: 3_821_079_552,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "huggingface.co/GreenBitAI/Phi-3-mini-4k-instruct-layer-mix-bpw-2.2/blob/main/"
        + "config.json"),
    CatalogModel(
      id: "phi-3-medium", hub: "microsoft/Phi-3-medium-4k-instruct",
      config: [
        "model_type": "phi3", "vocab_size": 32_064, "hidden_size": 5120,
        "intermediate_size": 17_920, "num_hidden_layers": 40, "num_attention_heads": 40,
        "num_key_value_heads": 10, "hidden_act": "silu", "max_position_embeddings": 4096,
        "sliding_window": 2047, "rms_norm_eps": 1e-5, "tie_word_embeddings": false,
      ],
      parameters: 13_960_238_080,
      source: "huggingface.co/microsoft/Phi-3-medium-4k-instruct/blame/"
        + "3da3d15332f10c59cea141411e265df623628a2e/config.json"),
    CatalogModel(
      id: "phi-4", hub: "microsoft/phi-4",
      config: [
        "model_type": "phi3", "vocab_size": 100_352, "hidden_size": 5120,
        "intermediate_size": 17_920, "num_hidden_layers": 40, "num_attention_heads": 40,
        "num_key_value_heads": 10, "hidden_act": "silu", "max_position_embeddings": 16_384,
        "sliding_window": nil, "rms_norm_eps": 1e-5, "tie_word_embeddings": false,
      ],
      parameters: 14_659_507_200,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "phi-4-mini", hub: "microsoft/Phi-4-mini-instruct",
      config: [
        "model_type": "phi3", "vocab_size": 200_064, "hidden_size": 3072,
        "intermediate_size": 8192, "num_hidden_layers": 32, "num_attention_heads": 24,
        "num_key_value_heads": 8, "hidden_act": "silu", "max_position_embeddings": 131_072,
        "partial_rotary_factor": 0.75, "sliding_window": nil, "rms_norm_eps": 1e-5,
        "tie_word_embeddings": true,
      ],
      parameters: 3_836_021_760,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
  ]
}
