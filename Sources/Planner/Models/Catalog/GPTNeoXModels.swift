/// Models of `model_type` `gpt_neox`.
enum GPTNeoXModels {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "pythia-70m", hub: "EleutherAI/pythia-70m",
      config: [
        "model_type": "gpt_neox", "vocab_size": 50_304, "hidden_size": 512,
        "intermediate_size": 2048, "num_hidden_layers": 6,
        "num_attention_heads": 8, "hidden_act": "gelu", "rotary_pct": 0.25,
        "use_parallel_residual": true, "max_position_embeddings": 2048,
        "tie_word_embeddings": false,
      ],
      parameters: 70_426_624,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "pythia-160m", hub: "EleutherAI/pythia-160m",
      config: [
        "model_type": "gpt_neox", "vocab_size": 50_304, "hidden_size": 768,
        "intermediate_size": 3072, "num_hidden_layers": 12,
        "num_attention_heads": 12, "hidden_act": "gelu", "rotary_pct": 0.25,
        "use_parallel_residual": true, "max_position_embeddings": 2048,
        "tie_word_embeddings": false,
      ],
      parameters: 162_322_944,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "pythia-410m", hub: "EleutherAI/pythia-410m",
      config: [
        "model_type": "gpt_neox", "vocab_size": 50_304, "hidden_size": 1024,
        "intermediate_size": 4096, "num_hidden_layers": 24,
        "num_attention_heads": 16, "hidden_act": "gelu", "rotary_pct": 0.25,
        "use_parallel_residual": true, "max_position_embeddings": 2048,
        "tie_word_embeddings": false,
      ],
      parameters: 405_334_016,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "pythia-1b", hub: "EleutherAI/pythia-1b",
      config: [
        "model_type": "gpt_neox", "vocab_size": 50_304, "hidden_size": 2048,
        "intermediate_size": 8192, "num_hidden_layers": 16,
        "num_attention_heads": 8, "hidden_act": "gelu", "rotary_pct": 0.25,
        "use_parallel_residual": true, "max_position_embeddings": 2048,
        "tie_word_embeddings": false,
      ],
      parameters: 1_011_781_632,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "pythia-1.4b", hub: "EleutherAI/pythia-1.4b",
      config: [
        "model_type": "gpt_neox", "vocab_size": 50_304, "hidden_size": 2048,
        "intermediate_size": 8192, "num_hidden_layers": 24,
        "num_attention_heads": 16, "hidden_act": "gelu", "rotary_pct": 0.25,
        "use_parallel_residual": true, "max_position_embeddings": 2048,
        "tie_word_embeddings": false,
      ],
      parameters: 1_414_647_808,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "pythia-2.8b", hub: "EleutherAI/pythia-2.8b",
      config: [
        "model_type": "gpt_neox", "vocab_size": 50_304, "hidden_size": 2560,
        "intermediate_size": 10_240, "num_hidden_layers": 32,
        "num_attention_heads": 32, "hidden_act": "gelu", "rotary_pct": 0.25,
        "use_parallel_residual": true, "max_position_embeddings": 2048,
        "tie_word_embeddings": false,
      ],
      parameters: 2_775_208_960,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "pythia-6.9b", hub: "EleutherAI/pythia-6.9b",
      config: [
        "model_type": "gpt_neox", "vocab_size": 50_432, "hidden_size": 4096,
        "intermediate_size": 16_384, "num_hidden_layers": 32,
        "num_attention_heads": 32, "hidden_act": "gelu", "rotary_pct": 0.25,
        "use_parallel_residual": true, "max_position_embeddings": 2048,
        "tie_word_embeddings": false,
      ],
      parameters: 6_857_302_016,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "pythia-12b", hub: "EleutherAI/pythia-12b",
      config: [
        "model_type": "gpt_neox", "vocab_size": 50_688, "hidden_size": 5120,
        "intermediate_size": 20_480, "num_hidden_layers": 36,
        "num_attention_heads": 40, "hidden_act": "gelu", "rotary_pct": 0.25,
        "use_parallel_residual": true, "max_position_embeddings": 2048,
        "tie_word_embeddings": false,
      ],
      parameters: 11_846_072_320,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
  ]
}
