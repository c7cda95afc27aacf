/// Models of `model_type` `vit`.
enum ViTModels {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "vit-l-16", hub: "google/vit-large-patch16-224",
      config: [
        "model_type": "vit", "image_size": 224, "patch_size": 16, "num_channels": 3,
        "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24,
        "num_attention_heads": 16, "hidden_act": "gelu", "qkv_bias": true,
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "num_labels": 1000,
      ],
      parameters: 304_326_632,
      source: "ViT paper table; transformers 5.23.0 class defaults")
  ]
}
