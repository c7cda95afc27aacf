/// GaLore's projection matrix: singular vectors of a gradient, on its shorter side.
///
/// Source: `GaLoreProjector` in `galore_torch/galore_projector.py`, galore-torch 1.0; `svd_cusolver` in PyTorch's
/// `aten/src/ATen/native/cuda/linalg/BatchLinearAlgebraLib.cpp`, PyTorch 2.11.
struct SingularVectors {
  /// The gradient.
  let gradient: TensorSpec
  /// How many vectors are wanted.
  let rank: Int

  private var longer: Int { max(gradient.rows, gradient.columns) }
  private var shorter: Int { min(gradient.rows, gradient.columns) }
  /// As many vectors as there are.
  private var kept: Int { min(rank, shorter) }

  /// The gradient in the subspace.
  var projected: TensorSpec {
    get throws(PlanError) { try TensorSpec(longer, kept, gradient.dtype) }
  }

  /// The matrix that the projector keeps: of an fp32 gradient a slice, which keeps all vectors of its side alive.
  var matrix: TensorSpec {
    get throws(PlanError) {
      try TensorSpec(gradient.dtype == .fp32 ? shorter : kept, shorter, gradient.dtype)
    }
  }

  /// Makes a new matrix in place of the old one, by a singular value decomposition in fp32.
  ///
  /// cuSOLVER works on a copy, and in a workspace; on a processor LAPACK's workspace is the host's.
  func renew(_ step: inout OptimizerStep) throws(PlanError) {
    let wide = gradient.cast(to: .fp32).bytes
    let isWide = gradient.dtype == .fp32
    let vectors = (
      long: try TensorSpec(longer, shorter, .fp32).bytes,
      short: try TensorSpec(shorter, shorter, .fp32).bytes
    )
    let (values, status) = (4 &* shorter, 4)
    if !isWide { step.allocate(wide) }
    for bytes in [vectors.long, vectors.short, values, status, wide] { step.allocate(bytes) }
    if !step.kernels.isProcessor {
      step.passing(try JacobiWorkspace(of: gradient).bytes)
    }
    step.freeNewest(wide)
    step.free(status)
    // The other factor, scaled by the singular values, which nothing reads.
    let scaled = try TensorSpec(longer, kept, .fp32).bytes
    let diagonal = try TensorSpec(kept, kept, .fp32).bytes
    step.allocate(diagonal)
    step.allocate(scaled)
    step.free(diagonal)
    let matrix = try matrix.bytes
    if !isWide { step.allocate(matrix) }
    for bytes in [scaled, vectors.long, values] { step.free(bytes) }
    if isWide {
      step.free(matrix)
    } else {
      for bytes in [vectors.short, wide, matrix] { step.free(bytes) }
    }
  }

  /// What the reader should know.
  static var assumption: Assumption {
    Assumption(
      "projection_step",
      "the step that decomposes the gradients anew, one in update_proj_gap, with the workspace that cuSOLVER asks for",
      source: "galore-torch 1.0, galore_projector.py; cuSOLVER 12.0.4, cusolverDnSgesvdj_bufferSize"
    )
  }
}
