import Testing

@testable import Planner

@Suite("A report as JSON") struct JSONRendererTests {
  private func keys(_ value: JSONValue?) -> [String] {
    guard case .object(let members)? = value else { return [] }
    return members.map(\.key)
  }

  @Test("has the contract's keys first, in the documented order")
  func order() throws {
    let value = JSONRenderer.value(of: .planned(try SampleReport.make(), remedies: nil))
    let contract = [
      "schema", "name", "fits", "peak", "capacity_bytes", "phases", "breakdown_bytes", "recompute",
      "devices", "assumptions",
    ]
    #expect(Array(keys(value).prefix(contract.count)) == contract)
    let peak = [
      "live_bytes", "allocated_bytes", "reserved_bytes", "device_bytes", "phase", "operation",
    ]
    #expect(keys(value["peak"]) == peak)
    #expect(keys(value["phases"]) == ["forward", "backward", "optimizer"])
    let phase = ["live_bytes", "allocated_bytes", "reserved_bytes"]
    #expect(Array(keys(value["phases"]?["forward"]).prefix(3)) == phase)
    let roles = [
      "parameters", "gradients", "optimizer_state", "activations", "communication", "workspace",
      "other",
    ]
    #expect(keys(value["breakdown_bytes"]) == roles)
    #expect(keys(value["recompute"]) == ["flops_fraction", "time_fraction"])
    #expect(keys(value["devices"]) == ["used", "minimum"])
  }

  @Test("gives integers exactly, null for no number of devices, and no remedies unless looked for")
  func values() throws {
    let value = JSONRenderer.value(of: .planned(try SampleReport.make(fits: false), remedies: nil))
    #expect(value["fits"] == false && value["schema"] == 1)
    #expect(value["capacity_bytes"] == .integer(24 << 30))
    #expect(value["peak"]?["device_bytes"] == .integer(42 << 30))
    #expect(value["devices"]?["minimum"] == .null && value["remedies"] == nil)
    #expect(value["flops"] == 123_400_000_000_000)
    let tried = JSONRenderer.value(
      of: .planned(try SampleReport.make(fits: false), remedies: [try SampleReport.remedy()]))
    guard case .array(let remedies)? = tried["remedies"] else {
      Issue.record("remedies are a list")
      return
    }
    #expect(remedies.first?["peak"]?["device_bytes"] == .integer(18 << 30))
  }

  @Test("puts a refused scenario in its place")
  func refused() throws {
    let error = PlanError(.invalid, "0 is out of range", path: "workload.x", fix: "Use 1.")
    let text = JSONRenderer.render([.refused(name: "b", error)], style: TextStyle())
    let expected: JSONValue = [
      [
        "name": "b",
        "error": ["message": "0 is out of range", "path": "workload.x", "fix": "Use 1."],
      ]
    ]
    #expect(text == JSONWriter.text(expected) + "\n")
    #expect(JSONRenderer.render([], style: TextStyle()) == "[]\n")
  }

  @Test("is JSON that can be read, for a report and for a ladder")
  func readable() throws {
    let report = try SampleReport.make()
    let text = JSONRenderer.render(.planned(report, remedies: nil), style: TextStyle())
    #expect(try JSONReader.read(text)["name"] == .string(report.name))
    let ladder = Ladder(of: [.init(label: "baseline", report: report)])
    let value = try JSONReader.read(JSONRenderer.render(ladder, style: TextStyle()))
    guard case .array(let rungs)? = value["rungs"] else {
      Issue.record("rungs are a list")
      return
    }
    #expect(rungs.first?["label"] == "baseline" && rungs.first?["report"]?["fits"] == true)
  }
}
