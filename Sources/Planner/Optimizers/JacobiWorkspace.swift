/// What cuSOLVER wants as workspace for the singular values and vectors of a matrix in fp32.
///
/// `torch.linalg.svd` takes `gesvdj`, Jacobi's method, and PyTorch allocates what `cusolverDnSgesvdj_bufferSize` answers
/// (`apply_svd_cusolver_gesvdj` in `aten/src/ATen/native/cuda/linalg/BatchLinearAlgebraLib.cpp`, PyTorch 2.11).
/// The answer depends on the shape alone. No document gives it: the terms below are fitted to what the library of
/// nvidia-cusolver 12.0.4.66 (CUDA 13.0) answered, and equal it for each of 397,011 shapes whose sides are multiples of
/// 32, up to 32,000. Other sides count as the next such multiple, which was never less than the answer for 398,503
/// shapes; nor is it for sides up to 32, which another function of the library takes (`gesvdjBatched`). Not counted:
/// `gesvd`, which PyTorch falls back to where Jacobi's method does not converge.
struct JacobiWorkspace {
  private let shorter: Int
  private let longer: Int
  private let form: Form

  private enum Form { case square, tall, wide }

  /// For a matrix as it is given to `torch.linalg.svd`.
  init(of matrix: TensorSpec) {
    shorter = Self.padded(min(matrix.rows, matrix.columns))
    longer = Self.padded(max(matrix.rows, matrix.columns))
    form =
      matrix.rows == matrix.columns ? .square : matrix.rows > matrix.columns ? .tall : .wide
  }

  /// Throws for a matrix whose workspace has more elements than the 32-bit number that cuSOLVER counts them in.
  var bytes: Int {
    get throws(PlanError) {
      guard elements <= Int(Int32.max) else {
        throw PlanError(
          .unsupported, "cuSOLVER cannot decompose gradients of \(longer) × \(shorter)",
          path: "optimizer.target_modules", fix: "Name modules with smaller weights.")
      }
      return elements * 4
    }
  }

  private var elements: Int {
    guard form != .square else { return iteration }
    // The QR factorization of a long matrix, its triangle and what it works in, blocks of 256 columns; a wide matrix is
    // transposed for it. Jacobi's method then runs over the triangle.
    let factors =
      longer * shorter + shorter * shorter + 256 * longer + 514 * shorter + 257 * 256
    let blocks = 1024 * (512 + max(shorter, 256)) + shorter + 32
    let transposed = form == .wide ? longer * shorter : 0
    return max(max(factors, blocks) + transposed, iteration + shorter * shorter)
  }

  /// For a square matrix.
  private var iteration: Int {
    let tiles = shorter / 32
    return 2 * shorter * shorter + 65 * shorter + 1024
      + Self.padded(4 * tiles * tiles + tiles)
  }

  private static func padded(_ count: Int) -> Int { (count + 31) & ~31 }
}
