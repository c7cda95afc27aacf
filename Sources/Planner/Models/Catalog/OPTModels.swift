/// Models of `model_type` `opt`.
///
/// `opt-350m` norms after each block and projects a narrower embedding.
enum OPTModels {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "opt-125m", hub: "facebook/opt-125m",
      config: [
        "model_type": "opt", "vocab_size": 50_272, "hidden_size": 768, "ffn_dim": 3072,
        "num_hidden_layers": 12, "num_attention_heads": 12,
        "max_position_embeddings": 2048, "word_embed_proj_dim": 768,
        "do_layer_norm_before": true, "activation_function": "relu", "dropout": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 125_239_296,
      source: "cli99/llm-analysis llm_analysis/model_configs (dumped from HF config.json)"),
    CatalogModel(
      id: "opt-350m", hub: "facebook/opt-350m",
      config: [
        "model_type": "opt", "vocab_size": 50_272, "hidden_size": 1024, "ffn_dim": 4096,
        "num_hidden_layers": 24, "num_attention_heads": 16,
        "max_position_embeddings": 2048, "word_embed_proj_dim": 512,
        "do_layer_norm_before": false, "activation_function": "relu", "dropout": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 331_196_416,
      source: "cli99/llm-analysis llm_analysis/model_configs (dumped from HF config.json)"),
    CatalogModel(
      id: "opt-1.3b", hub: "facebook/opt-1.3b",
      config: [
        "model_type": "opt", "vocab_size": 50_272, "hidden_size": 2048, "ffn_dim": 8192,
        "num_hidden_layers": 24, "num_attention_heads": 32,
        "max_position_embeddings": 2048, "word_embed_proj_dim": 2048,
        "do_layer_norm_before": true, "activation_function": "relu", "dropout": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 1_315_758_080,
      source: "cli99/llm-analysis llm_analysis/model_configs (dumped from HF config.json)"),
    CatalogModel(
      id: "opt-2.7b", hub: "facebook/opt-2.7b",
      config: [
        "model_type": "opt", "vocab_size": 50_272, "hidden_size": 2560, "ffn_dim": 10_240,
        "num_hidden_layers": 32, "num_attention_heads": 32,
        "max_position_embeddings": 2048, "word_embed_proj_dim": 2560,
        "do_layer_norm_before": true, "activation_function": "relu", "dropout": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 2_651_596_800,
      source: "OPT paper table, recalled (config recalled)"),
    CatalogModel(
      id: "opt-6.7b", hub: "facebook/opt-6.7b",
      config: [
        "model_type": "opt", "vocab_size": 50_272, "hidden_size": 4096, "ffn_dim": 16_384,
        "num_hidden_layers": 32, "num_attention_heads": 32,
        "max_position_embeddings": 2048, "word_embed_proj_dim": 4096,
        "do_layer_norm_before": true, "activation_function": "relu", "dropout": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 6_658_473_984,
      source: "cli99/llm-analysis llm_analysis/model_configs (dumped from HF config.json)"),
    CatalogModel(
      id: "opt-13b", hub: "facebook/opt-13b",
      config: [
        "model_type": "opt", "vocab_size": 50_272, "hidden_size": 5120, "ffn_dim": 20_480,
        "num_hidden_layers": 40, "num_attention_heads": 40,
        "max_position_embeddings": 2048, "word_embed_proj_dim": 5120,
        "do_layer_norm_before": true, "activation_function": "relu", "dropout": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 12_853_473_280,
      source: "cli99/llm-analysis llm_analysis/model_configs (dumped from HF config.json)"),
    CatalogModel(
      id: "opt-30b", hub: "facebook/opt-30b",
      config: [
        "model_type": "opt", "vocab_size": 50_272, "hidden_size": 7168, "ffn_dim": 28_672,
        "num_hidden_layers": 48, "num_attention_heads": 56,
        "max_position_embeddings": 2048, "word_embed_proj_dim": 7168,
        "do_layer_norm_before": true, "activation_function": "relu", "dropout": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 29_974_540_288,
      source: "OPT paper table, recalled (config recalled)"),
    CatalogModel(
      id: "opt-66b", hub: "facebook/opt-66b",
      config: [
        "model_type": "opt", "vocab_size": 50_272, "hidden_size": 9216, "ffn_dim": 36_864,
        "num_hidden_layers": 64, "num_attention_heads": 72,
        "max_position_embeddings": 2048, "word_embed_proj_dim": 9216,
        "do_layer_norm_before": true, "activation_function": "relu", "dropout": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 65_719_701_504,
      source: "cli99/llm-analysis llm_analysis/model_configs (dumped from HF config.json)"),
    CatalogModel(
      id: "opt-175b", hub: "opt-175b",
      config: [
        "model_type": "opt", "vocab_size": 50_272, "hidden_size": 12_288, "ffn_dim": 49_152,
        "num_hidden_layers": 96, "num_attention_heads": 96,
        "max_position_embeddings": 2048, "word_embed_proj_dim": 12_288,
        "do_layer_norm_before": true, "activation_function": "relu", "dropout": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 174_604_468_224,
      source: "cli99/llm-analysis llm_analysis/model_configs (dumped from HF config.json)"),
  ]
}
