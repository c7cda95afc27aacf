/// Attention by the flash-attn package.
extension CausalAttention {
  /// `flash_attention_forward` over queries, keys and values without padding: no mask, whatever the window.
  ///
  /// Values narrower than queries are padded to their width, and the result is cut again. Under autocast, fp32 queries
  /// have all three cast.
  ///
  /// Source: `integrations/flash_attention.py` and `modeling_flash_attention_utils.py`, transformers 5.17.
  func packaged(_ q: Value, _ k: Value, _ v: Value, in f: inout Forward) throws(PlanError) -> Value
  {
    try checkPackage(f.context)
    f.enter("self_attn", holding: q, k, v)
    let narrow = valueWidth ?? headWidth
    let v = narrow == headWidth ? v : f.local(try f.pad(v, columns: headWidth))
    let casts = q.spec.dtype == .fp32
    let queries = casts ? f.local(f.castForProduct(q)) : q
    let keys = casts ? f.local(f.castForProduct(k)) : k
    let values = casts ? f.local(f.castForProduct(v)) : v
    guard queries.spec.dtype != .fp32, keys.spec.dtype == queries.spec.dtype,
      values.spec.dtype == queries.spec.dtype
    else { throw .formats }
    let result = try f.packagedFlashAttention(
      queries, keys, values, shape: shape(f.context, expanded: false),
      transposed: contiguousHeads && heads > 1)
    let pads = FlashAttentionPackage.padded(headWidth) != headWidth
    if narrow != headWidth {
      let cut = try f.slice(f.local(result), columns: narrow)
      return f.leave(try f.contiguous(cut, columns: heads * narrow))
    }
    guard pads || contiguousHeads && heads > 1 else {
      return f.leave(try f.view(result, columns: heads * headWidth))
    }
    return f.leave(try f.contiguous(result, columns: heads * headWidth))
  }

  private func checkPackage(_ context: ForwardContext) throws(PlanError) {
    let capability = context.kernels.computeCapability
    if context.kernels.isProcessor || capability < FlashAttentionPackage.leastCapability {
      throw .packageDevice(context.kernels)
    }
    if headWidth > FlashAttentionPackage.widestHead { throw .wideHead(headWidth) }
    if capped, dropout { throw .cappedDropout }
  }
}

extension PlanError {
  private static func package(_ message: String, _ fix: String) -> Self {
    Self(.unsupported, message, path: "attention", fix: fix)
  }

  fileprivate static var formats: Self {
    package(
      "the flash-attn package computes in 16-bit formats, and the queries are in fp32",
      "Use precision \"bf16-mixed\" or \"bf16-true\", or \"attention\": \"sdpa\".")
  }

  fileprivate static func packageDevice(_ kernels: KernelTraits) -> Self {
    let capability = kernels.computeCapability
    return package(
      kernels.isProcessor
        ? "the flash-attn package runs on CUDA devices"
        : "the flash-attn package takes compute capability 8.0 or more, the device has "
          + "\(capability / 10).\(capability % 10)", "Use \"attention\": \"sdpa\".")
  }

  fileprivate static func wideHead(_ width: Int) -> Self {
    package(
      "the flash-attn package takes heads of at most \(FlashAttentionPackage.widestHead) "
        + "elements, the model's have \(width)", "Use \"attention\": \"sdpa\".")
  }

  fileprivate static var cappedDropout: Self {
    package(
      "the flash-attn package does not drop out weights whose scores are bounded",
      "Set attention_dropout of the model to 0, or use \"attention\": \"eager\".")
  }
}
