import Testing

@testable import Planner

@Suite("A list with one owner") struct OwnedArrayTests {
  @Test("holds what an array holds after the same changes") func changes() {
    for seed in 0..<20 as Range<UInt64> {
      var random = SplitMix(state: seed)
      var list = OwnedArray<Int>(capacity: 1)
      var array: [Int] = []
      for value in 0..<400 {
        switch random.next() % 5 {
        case 0, 1:
          list.append(value)
          array.append(value)
        case 2:
          let place = Int(random.next() % UInt64(array.count + 1))
          list.insert(value, at: place)
          array.insert(value, at: place)
        case 3 where !array.isEmpty:
          let place = Int(random.next() % UInt64(array.count))
          list.remove(at: place)
          array.remove(at: place)
        default:
          let (last, expected) = (list.popLast(), array.popLast())
          #expect(last == expected)
        }
        #expect(list.count == array.count)
        let elements = list.withBuffer(Array.init)
        #expect(elements == array)
      }
    }
  }

  @Test("moves elements that overlap") func move() {
    var list = OwnedArray<Int>()
    for value in 0..<6 { list.append(value) }
    list.move(4, from: 0, to: 2)
    let up = list.withBuffer(Array.init)
    #expect(up == [0, 1, 0, 1, 2, 3])
    list.move(3, from: 3, to: 2)
    let down = list.withBuffer(Array.init)
    #expect(down == [0, 1, 1, 2, 3, 3])
  }
}
