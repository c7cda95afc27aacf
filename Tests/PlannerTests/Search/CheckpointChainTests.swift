import Testing

@testable import Planner

@Suite("The bound of a chain of equal layers") struct CheckpointChainTests {
  /// Where a run stands: which inputs are stored, what each layer keeps, how many layers wait for their backward.
  private struct State: Hashable {
    /// Bit i set: the input of layer i is stored; bit `layers` is the last layer's result.
    var stored = 0
    /// The option that each layer was run with, or -1.
    var tapes: [Int]
    /// Layers whose backward is still to come.
    var left: Int
    var headIsDone = false
  }

  /// The cheapest of all runs that stay within the memory, by Dijkstra's search over every state of a machine that
  /// may run any layer it has the input of and must do each backward once; a kept input stays until its layer's.
  private func exhaustive(_ chain: CheckpointChain, layers: Int, memory: Int) -> Double {
    var done: Set<State> = []
    var queue: [(cost: Double, state: State)] = [
      (0, State(tapes: Array(repeating: -1, count: layers), left: layers))
    ]
    while let index = queue.indices.min(by: { queue[$0].cost < queue[$1].cost }) {
      let (cost, state) = queue.remove(at: index)
      guard done.insert(state).inserted else { continue }
      if state.left == 0 { return cost - Double(layers) * chain.forward }
      func has(_ input: Int) -> Bool {
        input == 0 || state.stored >> input & 1 == 1 || state.tapes[input - 1] >= 0
      }
      func held(_ state: State) -> Int {
        state.stored.nonzeroBitCount * chain.boundary
          + state.tapes.filter { $0 >= 0 }.reduce(0) { $0 + chain.options[$1].kept }
      }
      func go(_ next: State, _ price: Double) {
        if held(next) <= memory, !done.contains(next) { queue.append((cost + price, next)) }
      }
      // An input stays until its layer's backward: only the last layer's result can go.
      for input in state.left...layers where state.headIsDone && state.stored >> input & 1 == 1 {
        var next = state
        next.stored ^= 1 << input
        go(next, 0)
      }
      for layer in 0..<state.left where has(layer) && state.tapes[layer] < 0 {
        for drops in [false, true] where !drops || state.stored >> layer & 1 == 1 {
          var next = state
          next.stored |= 2 << layer
          if drops { next.stored ^= 1 << layer }
          go(next, chain.forward)
        }
        for option in chain.options.indices {
          var next = state
          next.tapes[layer] = option
          go(next, chain.forward)
        }
      }
      if !state.headIsDone, has(layers), held(state) + chain.head <= memory {
        var next = state
        next.headIsDone = true
        go(next, 0)
      }
      let last = state.left - 1
      if state.headIsDone, has(last), state.tapes[last] >= 0 {
        let option = chain.options[state.tapes[last]]
        if held(state) - option.kept + option.working <= memory {
          var next = state
          next.tapes[last] = -1
          next.left -= 1
          go(next, option.again)
        }
      }
    }
    return .infinity
  }

  @Test("is what an exhaustive search of all runs finds, for hundreds of random chains")
  func optimal() {
    var random = SplitMix(state: 7)
    func draw(_ range: ClosedRange<Int>) -> Int {
      range.lowerBound + Int(random.next() % UInt64(range.count))
    }
    for _ in 0..<300 {
      let layers = draw(1...3)
      let boundary = draw(1...2)
      let forward = Double(draw(2...6))
      let options = (0..<draw(1...2)).map { _ in
        let kept = draw(boundary...5)
        return CheckpointChain.Option(
          kept: kept, working: kept + draw(0...3), again: Double(draw(0...4)))
      }
      let chain = CheckpointChain(
        options: options, boundary: boundary, forward: forward, head: draw(0...4))
      let memory = draw(3...14)
      let found = chain.least(layers: layers, memory: memory)[memory]
      #expect(found == exhaustive(chain, layers: layers, memory: memory), "\(chain) \(layers)")
    }
  }

  @Test("is zero with room for everything, and grows as the room shrinks") func monotone() {
    let chain = CheckpointChain(
      options: [.init(kept: 10, working: 14, again: 0), .init(kept: 1, working: 14, again: 3)],
      boundary: 1, forward: 4, head: 6)
    let least = chain.least(layers: 20, memory: 240)
    #expect(least[240] == 0 && least[10] == .infinity)
    for bytes in 1...240 { #expect(least[bytes] <= least[bytes - 1]) }
  }
}
