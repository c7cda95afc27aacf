import FoundationEssentials
@testable import Planner
let bytes = [UInt8](FileManager.default.contents(atPath: CommandLine.arguments[1])!)
guard case .array(let cases) = try! JSONReader.read(bytes) else { fatalError() }
let reader = ScenarioReader { (_) throws(PlanError) in .null }
let usable = Double((24209 - 520) << 20)
for c in cases {
  let s = try! reader.read(c["scenario"]!)
  let r = try! Planner.plan(s)
  let res = c["max_reserved_bytes"]!
  let live = r.peak.live.count
  print(c["out_of_memory"]!, Decimal.text(usable / Double(live), digits: 4), Decimal.text(Double(live) / 1e9, digits: 3), Decimal.text(Double(r.peak.allocated.count) / 1e9, digits: 3), res, s.name, r.peak.phase)
}
