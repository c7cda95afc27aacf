extension Scenario {
  /// What kernels and a loss other than the defaults take for granted.
  var kernelAssumptions: [Assumption] {
    var assumptions: [Assumption] = []
    if kernelSet == .liger {
      assumptions.append(
        Assumption(
          "liger", "Liger's kernels allocate as in version 0.8.5; its loss keeps no logits",
          source: "liger_kernel/ops, liger-kernel 0.8.5"))
    }
    if attention == .flash {
      assumptions.append(
        Assumption(
          "flash_attn",
          "the flash-attn package allocates as the source of version 2.8.3 says; its kernels did not run here",
          source: "csrc/flash_attn/flash_api.cpp, flash-attn 2.8.3"))
    }
    switch loss {
    case .transformers: break
    case .transformers448:
      assumptions.append(
        Assumption(
          "loss", "only the loss is that of transformers 4.48; the layers are those of 5.17",
          source: "ForCausalLMLoss, transformers 4.48.1"))
    case .chunked:
      assumptions.append(
        Assumption(
          "loss",
          "the chunked loss has all logits in the model's format and one chunk of them in fp32",
          source: "CEWithChunkedOutputLoss, pytorch/torchtune @10ff7cd"))
    }
    return assumptions
  }
}
