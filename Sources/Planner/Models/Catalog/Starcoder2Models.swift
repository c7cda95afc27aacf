/// Models of `model_type` `starcoder2`.
///
/// The dropouts are recalled; `transformers` defaults to none.
enum Starcoder2Models {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "starcoder2-3b", hub: "bigcode/starcoder2-3b",
      config: [
        "model_type": "starcoder2", "vocab_size": 49_152, "hidden_size": 3072,
        "intermediate_size": 12_288, "num_hidden_layers": 30,
        "num_attention_heads": 24, "num_key_value_heads": 2,
        "hidden_act": "gelu_pytorch_tanh", "max_position_embeddings": 16_384,
        "sliding_window": 4096, "use_bias": true,
        "attention_dropout": 0.1, "embedding_dropout": 0.1, "residual_dropout": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 3_030_371_328,
      source: "transformers 5.23.0 class defaults (PyPI wheel)"),
    CatalogModel(
      id: "starcoder2-7b", hub: "bigcode/starcoder2-7b",
      config: [
        "model_type": "starcoder2", "vocab_size": 49_152, "hidden_size": 4608,
        "intermediate_size": 18_432, "num_hidden_layers": 32,
        "num_attention_heads": 36, "num_key_value_heads": 4,
        "hidden_act": "gelu_pytorch_tanh", "max_position_embeddings": 16_384,
        "sliding_window": 4096, "use_bias": true,
        "attention_dropout": 0.1, "embedding_dropout": 0.1, "residual_dropout": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 7_173_923_840,
      source: "rtp-llm starcoder2 (4608, 4*4608, 32 layers, head 128, 16384, vocab 49152) "
        + "(num_key_value_heads, tie_word_embeddings recalled)"),
    CatalogModel(
      id: "starcoder2-15b", hub: "bigcode/starcoder2-15b",
      config: [
        "model_type": "starcoder2", "vocab_size": 49_152, "hidden_size": 6144,
        "intermediate_size": 24_576, "num_hidden_layers": 40,
        "num_attention_heads": 48, "num_key_value_heads": 4,
        "hidden_act": "gelu_pytorch_tanh", "max_position_embeddings": 16_384,
        "sliding_window": 4096, "use_bias": true,
        "attention_dropout": 0.1, "embedding_dropout": 0.1, "residual_dropout": 0.1,
        "tie_word_embeddings": false,
      ],
      parameters: 15_957_889_024,
      source: ""
        + "huggingface.co/bigcode/starcoder2-15b/blame/1b425dd4908f4997586767d1495d96ab56bd57d4/config.json"
    ),
  ]
}
