import Dispatch
import Foundation

/// Work on the elements of a list, on as many cores as there are.
package enum Parallel {
  /// How many cores there are.
  static let cores = ProcessInfo.processInfo.activeProcessorCount

  /// What `body` makes of each index, in their order.
  package static func map<Result>(_ count: Int, _ body: @escaping (Int) -> Result) -> [Result] {
    guard count > 1 else { return (0..<count).map(body) }
    return .init(unsafeUninitializedCapacity: count) { buffer, initialized in
      // Every index is written once, by whoever drew it; nobody reads before all are done.
      nonisolated(unsafe) let (results, body) = (buffer, body)
      DispatchQueue.concurrentPerform(iterations: count) { index in
        results.initializeElement(at: index, to: body(index))
      }
      initialized = count
    }
  }

  /// What two bodies make, at the same time where there are cores for it.
  static func both<First, Second>(
    _ first: @escaping () -> First, _ second: @escaping () -> Second
  ) -> (First, Second) {
    let made = map(2) { $0 == 0 ? Either.first(first()) : Either.second(second()) }
    guard case .first(let one) = made[0], case .second(let other) = made[1] else {
      preconditionFailure("results are in the order of their indices")
    }
    return (one, other)
  }

  private enum Either<First, Second> {
    case first(First)
    case second(Second)
  }
}
