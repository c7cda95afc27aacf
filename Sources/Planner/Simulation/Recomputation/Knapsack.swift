/// The items of the greatest worth that fit into a budget: a dynamic program over ten thousandths.
///
/// Source: `dp_knapsack` in PyTorch 2.11's `torch/_functorch/_activation_checkpointing/knapsack.py`, which adds in fp32.
struct Knapsack {
  /// For each item the slots that it takes, at most one more than there are.
  private let slots: [Int]
  /// The greatest worth of the first items for each number of slots.
  private let rows: [ContiguousArray<Float>]

  /// The slots of a budget of 1.
  private static let width = 10_000

  /// - Parameters:
  ///   - sizes: What each item takes, in shares of a budget of 1.
  ///   - worth: What each is worth.
  init(sizes: [Double], worth: [Float]) {
    slots = sizes.map { Self.slots($0, atMost: Self.width + 1) }
    var rows = [ContiguousArray<Float>(repeating: 0, count: Self.width + 1)]
    for (size, worth) in zip(slots, worth) {
      var row = rows[rows.count - 1]
      let before = row
      if size <= Self.width {
        before.withUnsafeBufferPointer { before in
          row.withUnsafeMutableBufferPointer { row in
            for at in size..<row.count {
              row[at] = size == 0 ? before[at] + worth : max(before[at], before[at - size] + worth)
            }
          }
        }
      }
      rows.append(row)
    }
    self.rows = rows
  }

  private static func slots(_ share: Double, atMost most: Int) -> Int {
    Int(min(max(share, 0) * Double(width), Double(most)).rounded(.toNearestOrEven))
  }

  /// The items to take within a budget from 0 to 1.
  func chosen(budget: Double) -> Set<Int> {
    var chosen: Set<Int> = []
    var at = Self.slots(budget, atMost: Self.width)
    for item in slots.indices.reversed() where rows[item + 1][at] != rows[item][at] {
      chosen.insert(item)
      at -= slots[item]
    }
    return chosen
  }
}
