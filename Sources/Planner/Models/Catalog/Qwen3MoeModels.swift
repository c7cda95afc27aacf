/// Models of `model_type` `qwen3_moe`.
enum Qwen3MoeModels {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "qwen3-30b-a3b", hub: "Qwen/Qwen3-30B-A3B",
      config: [
        "model_type": "qwen3_moe", "vocab_size": 151_936,
        "hidden_size": 2048, "intermediate_size": 6144, "moe_intermediate_size": 768,
        "num_hidden_layers": 48, "num_attention_heads": 32, "num_key_value_heads": 4,
        "head_dim": 128, "num_experts": 128, "num_experts_per_tok": 8,
        "norm_topk_prob": true, "decoder_sparse_step": 1, "mlp_only_layers": [],
        "hidden_act": "silu", "max_position_embeddings": 40_960,
        "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0, "tie_word_embeddings": false,
      ],
      parameters: 30_532_122_624,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29); "
        + "AI-Hypercomputer/maxtext hf_model_configs.py (2026-08-22); aliyun/SimAI "
        + "vidur-alibabacloud/data/hf_configs")
  ]
}
