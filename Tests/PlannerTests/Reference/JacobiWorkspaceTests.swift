import Testing

@testable import Planner

@Suite("cuSOLVER's workspace for singular vectors") struct JacobiWorkspaceTests {
  private static let answers: [(rows: Int, columns: Int, elements: Int)] = {
    guard
      case .array(let answers)? = try? Fixtures.json("Reference/Fixtures/jacobi-workspaces.json")
    else { return [] }
    return answers.compactMap { answer in
      guard let rows = answer.integer("rows"), let columns = answer.integer("columns"),
        let elements = answer.integer("elements")
      else { return nil }
      return (rows, columns, elements)
    }
  }()

  @Test("is what the library answered for sides that are multiples of 32, and never less")
  func answers() throws {
    #expect(Self.answers.count == 117)
    var exact = 0
    for answer in Self.answers {
      let matrix = try TensorSpec(answer.rows, answer.columns, .bf16)
      let bytes = try JacobiWorkspace(of: matrix).bytes
      if answer.rows % 32 == 0, answer.columns % 32 == 0 {
        #expect(bytes == 4 * answer.elements, "\(answer)")
        exact += 1
      } else {
        #expect(bytes >= 4 * answer.elements, "\(answer)")
      }
    }
    #expect(exact == 85)
  }

  /// The library answered 0 for the first, whose size does not fit its counter, and refused the second.
  @Test(
    "that no 32-bit number counts is an error", arguments: [(32_768, 32_768), (40_960, 28_672)])
  func refused(rows: Int, columns: Int) throws {
    let matrix = try TensorSpec(rows, columns, .bf16)
    #expect(throws: PlanError.self) { try JacobiWorkspace(of: matrix).bytes }
  }

  @Test("does not overflow for the largest tensors", arguments: [(1 << 47, 1), (1, 1 << 47)])
  func large(rows: Int, columns: Int) throws {
    let matrix = try TensorSpec(rows, columns, .bf16)
    #expect(throws: PlanError.self) { try JacobiWorkspace(of: matrix).bytes }
  }
}
