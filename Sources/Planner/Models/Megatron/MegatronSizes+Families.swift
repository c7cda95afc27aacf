/// Families that Megatron's layers can be built for.
///
/// Source: the conversion tables of Megatron-Bridge and `tools/checkpoint/loader_llama_mistral.py` in Megatron-LM.
extension Llama {
  var megatron: MegatronSizes? {
    guard !outputBias, !mlpBias, window == nil else { return nil }
    var sizes = MegatronSizes(
      vocabulary: self.sizes.vocabulary, hidden: self.sizes.hidden, layers: self.sizes.layers,
      heads: self.sizes.heads, keyHeads: self.sizes.keyHeads, headWidth: self.sizes.headWidth,
      feedForward: self.sizes.intermediate)
    sizes.isGated = true
    sizes.usesRMSNorm = true
    sizes.addsBias = false
    sizes.addsQueryBias = inputBias
    sizes.normsHeads = headNorms
    sizes.positions = .rotary
    sizes.isTied = self.sizes.tied
    sizes.dropsHidden = false
    sizes.dropsAttention = self.sizes.dropsAttention
    return sizes
  }
}

extension GPT2 {
  var megatron: MegatronSizes? {
    var sizes = MegatronSizes(
      vocabulary: vocabulary, hidden: hidden, layers: layers, heads: heads, keyHeads: heads,
      headWidth: hidden / heads, feedForward: intermediate)
    sizes.positions = .learned(positions)
    sizes.isTied = tied
    sizes.dropsHidden = dropsResidual
    sizes.dropsAttention = dropsAttention
    return sizes
  }
}
