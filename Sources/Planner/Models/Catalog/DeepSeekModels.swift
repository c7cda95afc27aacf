/// Models of `model_type` `deepseek_v2` and `deepseek_v3`.
///
/// Without `num_key_value_heads` every head has keys and values of its own. DeepSeek V3's checkpoint also holds a
/// module that predicts a second token, which is not part of the model.
enum DeepSeekModels {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "deepseek-v2-lite", hub: "deepseek-ai/DeepSeek-V2-Lite",
      config: [
        "model_type": "deepseek_v2", "vocab_size": 102_400,
        "hidden_size": 2048, "intermediate_size": 10_944, "moe_intermediate_size": 1408,
        "num_hidden_layers": 27, "num_attention_heads": 16, "num_key_value_heads": 16,
        "n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6,
        "first_k_dense_replace": 1, "topk_method": "greedy",
        "kv_lora_rank": 512, "q_lora_rank": nil, "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64, "v_head_dim": 128,
        "hidden_act": "silu", "max_position_embeddings": 163_840,
        "rms_norm_eps": 1e-6, "rope_theta": 10_000.0, "tie_word_embeddings": false,
      ],
      parameters: 15_706_484_224,
      source: "AI-Hypercomputer/maxtext hf_model_configs.py (2026-08-22)"),
    CatalogModel(
      id: "deepseek-v2", hub: "deepseek-ai/DeepSeek-V2",
      config: [
        "model_type": "deepseek_v2", "vocab_size": 102_400,
        "hidden_size": 5120, "intermediate_size": 12_288, "moe_intermediate_size": 1536,
        "num_hidden_layers": 60, "num_attention_heads": 128, "num_key_value_heads": 128,
        "n_routed_experts": 160, "n_shared_experts": 2, "num_experts_per_tok": 6,
        "first_k_dense_replace": 1, "topk_method": "group_limited_greedy", "n_group": 8,
        "topk_group": 3,
        "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64, "v_head_dim": 128,
        "hidden_act": "silu", "max_position_embeddings": 163_840,
        "rms_norm_eps": 1e-6, "rope_theta": 10_000.0, "tie_word_embeddings": false,
      ],
      parameters: 235_741_434_880,
      source: "MooreThreads/SimuMax configs/models; groups and max_position_embeddings recalled"),
    CatalogModel(
      id: "deepseek-v3", hub: "deepseek-ai/DeepSeek-V3",
      config: [
        "model_type": "deepseek_v3", "vocab_size": 129_280,
        "hidden_size": 7168, "intermediate_size": 18_432, "moe_intermediate_size": 2048,
        "num_hidden_layers": 61, "num_attention_heads": 128, "num_key_value_heads": 128,
        "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8,
        "first_k_dense_replace": 3, "n_group": 8, "topk_group": 4, "norm_topk_prob": true,
        "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64, "v_head_dim": 128,
        "hidden_act": "silu", "max_position_embeddings": 163_840,
        "rms_norm_eps": 1e-6, "rope_theta": 10_000.0, "tie_word_embeddings": false,
      ],
      parameters: 671_026_404_352,
      source: "aliyun/SimAI vidur-alibabacloud/data/hf_configs; MooreThreads/SimuMax "
        + "configs/models; AI-Hypercomputer/maxtext hf_model_configs.py (2026-08-22)"),
  ]
}
