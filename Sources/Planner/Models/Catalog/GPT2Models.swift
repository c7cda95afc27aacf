/// Models of `model_type` `gpt2`.
///
/// OpenAI never released GPT-3; its shape is that of a large GPT-2.
enum GPT2Models {
  static let all: [CatalogModel] = [
    CatalogModel(
      id: "gpt2", hub: "openai-community/gpt2",
      config: [
        "model_type": "gpt2", "vocab_size": 50_257, "n_positions": 1024,
        "n_embd": 768, "n_layer": 12, "n_head": 12,
        "activation_function": "gelu_new", "attn_pdrop": 0.1, "embd_pdrop": 0.1, "resid_pdrop": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 124_439_808,
      source: "karpathy/nanoGPT model.py; cli99/llm-analysis llm_analysis/model_configs "
        + "(dumped from HF config.json)"),
    CatalogModel(
      id: "gpt2-medium", hub: "openai-community/gpt2-medium",
      config: [
        "model_type": "gpt2", "vocab_size": 50_257, "n_positions": 1024,
        "n_embd": 1024, "n_layer": 24, "n_head": 16,
        "activation_function": "gelu_new", "attn_pdrop": 0.1, "embd_pdrop": 0.1, "resid_pdrop": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 354_823_168,
      source: "karpathy/nanoGPT model.py; cli99/llm-analysis llm_analysis/model_configs "
        + "(dumped from HF config.json)"),
    CatalogModel(
      id: "gpt2-large", hub: "openai-community/gpt2-large",
      config: [
        "model_type": "gpt2", "vocab_size": 50_257, "n_positions": 1024,
        "n_embd": 1280, "n_layer": 36, "n_head": 20,
        "activation_function": "gelu_new", "attn_pdrop": 0.1, "embd_pdrop": 0.1, "resid_pdrop": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 774_030_080,
      source: "karpathy/nanoGPT model.py; cli99/llm-analysis llm_analysis/model_configs "
        + "(dumped from HF config.json)"),
    CatalogModel(
      id: "gpt2-xl", hub: "openai-community/gpt2-xl",
      config: [
        "model_type": "gpt2", "vocab_size": 50_257, "n_positions": 1024,
        "n_embd": 1600, "n_layer": 48, "n_head": 25,
        "activation_function": "gelu_new", "attn_pdrop": 0.1, "embd_pdrop": 0.1, "resid_pdrop": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 1_557_611_200,
      source: "karpathy/nanoGPT model.py; cli99/llm-analysis llm_analysis/model_configs "
        + "(dumped from HF config.json)"),
    CatalogModel(
      id: "gpt-3-175b", hub: "gpt-3-175b",
      config: [
        "model_type": "gpt2", "vocab_size": 50_257, "n_positions": 2048,
        "n_embd": 12_288, "n_layer": 96, "n_head": 96,
        "activation_function": "gelu", "attn_pdrop": 0.1, "embd_pdrop": 0.1, "resid_pdrop": 0.1,
        "tie_word_embeddings": true,
      ],
      parameters: 174_604_259_328,
      source: "calculon-ai/calculon models/gpt3-175B.json; cli99/llm-analysis "
        + "llm_analysis/model_configs (dumped from HF config.json); MooreThreads/SimuMax "
        + "configs/models"),
  ]
}
