import Testing
@testable import Planner
@Test func decimal() { #expect(Decimal.text(1.005, digits: 1) == "1.0") }
