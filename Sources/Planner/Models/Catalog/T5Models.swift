/// Models of `model_type` `t5`, the first generation: tied tables, ReLU.
enum T5Models {
  private static let paper =
    "section 3.7 of Raffel et al. 2020, arXiv:1910.10683; transformers 5.23.0 class defaults"

  static let all: [CatalogModel] = [
    CatalogModel(
      id: "t5-small", hub: "google-t5/t5-small",
      config: config(hidden: 512, intermediate: 2048, layers: 6, heads: 8, headWidth: 64),
      parameters: 60_506_624, source: "transformers 5.23.0 class defaults"),
    CatalogModel(
      id: "t5-base", hub: "google-t5/t5-base",
      config: config(hidden: 768, intermediate: 3072, layers: 12, heads: 12, headWidth: 64),
      parameters: 222_903_552, source: paper),
    CatalogModel(
      id: "t5-large", hub: "google-t5/t5-large",
      config: config(hidden: 1024, intermediate: 4096, layers: 24, heads: 16, headWidth: 64),
      parameters: 737_668_096, source: paper),
    CatalogModel(
      id: "t5-3b", hub: "google-t5/t5-3b",
      config: config(hidden: 1024, intermediate: 16_384, layers: 24, heads: 32, headWidth: 128),
      parameters: 2_851_598_336, source: paper),
    CatalogModel(
      id: "t5-11b", hub: "google-t5/t5-11b",
      config: config(hidden: 1024, intermediate: 65_536, layers: 24, heads: 128, headWidth: 128),
      parameters: 11_307_321_344, source: paper),
  ]

  private static func config(
    hidden: Int, intermediate: Int, layers: Int, heads: Int, headWidth: Int
  ) -> JSONValue {
    [
      "model_type": "t5", "vocab_size": 32_128, "d_model": .integer(hidden),
      "d_ff": .integer(intermediate), "num_layers": .integer(layers),
      "num_decoder_layers": .integer(layers), "num_heads": .integer(heads),
      "d_kv": .integer(headWidth), "relative_attention_num_buckets": 32, "dropout_rate": 0.1,
      "feed_forward_proj": "relu", "is_encoder_decoder": true, "tie_word_embeddings": true,
    ]
  }
}
