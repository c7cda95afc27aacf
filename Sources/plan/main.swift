import FoundationEssentials
@testable import Planner

let path = CommandLine.arguments[1]
let bytes = [UInt8](FileManager.default.contents(atPath: path)!)
guard case .array(let cases) = try! JSONReader.read(bytes) else { fatalError() }
let reader = ScenarioReader { (_) throws(PlanError) in .null }
var exact = 0, n = 0
for c in cases {
  do throws(PlanError) {
    let s = try reader.read(c["scenario"]!)
    let r = try Planner.plan(s)
    var line = ""
    guard case .integer(let np) = c["reference"]?["parameters"] ?? .null else { continue }
    if np != r.parameters { line += " PARAMS \(r.parameters) vs \(np)" }
    for p in r.phases {
      guard case .integer(let want) = c["reference"]!["phases"]![p.phase.key]!["requested_bytes"]! else { continue }
      n += 1
      if want == p.live.count { exact += 1; line += " ok" } else { line += " \(p.phase.key) \(p.live.count - want) (\(Decimal.text(100 * (Double(p.live.count) / Double(want) - 1), digits: 3))%) at \(p.operation)" }
    }
    print(s.name, line)
  } catch { print("ERR", c["scenario"]!["name"]!, error) }
}
print(exact, "of", n)
