/// Models of `model_type` `falcon`.
///
/// The 40B ties its embeddings in `transformers` too, which its paper does not.
enum FalconModels {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "falcon-7b", hub: "tiiuae/falcon-7b",
      config: [
        "model_type": "falcon", "vocab_size": 65_024, "hidden_size": 4544,
        "num_hidden_layers": 32, "num_attention_heads": 71,
        "new_decoder_architecture": false, "multi_query": true, "parallel_attn": true,
        "bias": false, "alibi": false, "tie_word_embeddings": true,
      ],
      parameters: 6_921_720_704,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
    CatalogModel(
      id: "falcon-40b", hub: "tiiuae/falcon-40b",
      config: [
        "model_type": "falcon", "vocab_size": 65_024, "hidden_size": 8192,
        "num_hidden_layers": 60, "num_attention_heads": 128, "num_kv_heads": 8,
        "new_decoder_architecture": true, "multi_query": true, "parallel_attn": true,
        "bias": false, "alibi": false, "tie_word_embeddings": true,
      ],
      parameters: 41_303_293_952,
      source: "Lightning-AI/litgpt litgpt/config.py @2685705 (2026-06-29)"),
  ]
}
