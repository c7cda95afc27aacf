/// The convolution that cuts an image into patches.
extension Forward {
  /// `conv2d(pixels, weight, bias)` with a stride of the kernel's size: `[patches, channels out]`.
  ///
  /// The image wants no gradient, and yet the weight is saved. Backward copies the gradient into channels before pixels first. Under autocast
  /// the arguments are cast, the last one first.
  ///
  /// - Parameters:
  ///   - image: The image as the training loop holds it.
  ///   - pixels: The image in the format of the weight, where it was cast to it; saved.
  mutating func convolution(
    patches: Int, image: TensorSpec, pixels: Value?, weight: Parameter, bias: Parameter
  ) throws(PlanError) -> Value {
    let b = castForProduct(bias)
    let w = castForProduct(weight)
    let copy =
      context.autocast == nil
      ? nil : plain("to", image.cast(to: w.spec.dtype), role: .activations)
    let spec = try TensorSpec(patches, w.spec.rows, w.spec.dtype)
    let flops = try checkedProduct(2, patches, w.spec.rows, w.spec.columns)
    begin("convolution", module: "projection", w, b)
    if let pixels = pixels ?? copy { save(pixels, for: .max) }
    save(w, for: .max)
    work(flops: flops, bytes: image.bytes + w.spec.bytes + spec.bytes, dtype: spec.dtype)
    temporary(0, spec.bytes)
    gradient(0, w.spec, role: .gradients, flops: flops)
    free(0)
    gradient(1, b.spec, role: .gradients)
    let output = end(spec)
    if let copy { discard(copy) }
    return output
  }
}
