import Dispatch
import Foundation
import Synchronization

/// Work on the elements of a list, on as many cores as there are.
///
/// It may be nested: whoever waits has drawn all elements that were left, and waits only for those that others have in
/// work. (`DispatchQueue.concurrentPerform` within itself runs one element after the other, on cores that stand idle.)
package enum Parallel {
  /// How many cores there are.
  static let cores = ProcessInfo.processInfo.activeProcessorCount

  /// What `body` makes of each index, in their order.
  package static func map<Result>(_ count: Int, _ body: @escaping (Int) -> Result) -> [Result] {
    guard count > 1 else { return (0..<count).map(body) }
    return .init(unsafeUninitializedCapacity: count) { buffer, initialized in
      // Every index is written once, by whoever drew it; nobody reads before all are done.
      nonisolated(unsafe) let (results, body) = (buffer, body)
      let draw = Draw(count) { results.initializeElement(at: $0, to: body($0)) }
      for _ in 1..<max(1, min(count, cores)) {
        DispatchQueue.global(qos: .userInitiated).async { draw.work() }
      }
      draw.work()
      draw.allDone.wait()
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

  /// Indices that threads draw from until none is left.
  ///
  /// A thread that comes late finds none, and touches nothing.
  private final class Draw: @unchecked Sendable {
    let allDone = DispatchSemaphore(value: 0)
    private let count: Int
    private let body: (Int) -> Void
    private let next = Atomic(0)
    private let done = Atomic(0)

    init(_ count: Int, _ body: @escaping (Int) -> Void) {
      (self.count, self.body) = (count, body)
    }

    func work() {
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        body(index)
        if done.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue == count {
          allDone.signal()
        }
      }
    }
  }
}
