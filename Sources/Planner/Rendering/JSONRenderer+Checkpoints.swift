extension JSONRenderer {
  /// Every plan, and the choices among them in the same shape.
  static func render(_ table: CheckpointTable, style: TextStyle) -> String {
    func choice(_ choice: CheckpointTable.Choice?) -> JSONValue {
      guard let choice else { return .null }
      guard case .object(let members) = value(of: choice.plan) else { return .null }
      return .object(
        members + [
          .init("device_bytes", .integer(choice.report.need.count)),
          .init("operation", .string(choice.report.peak.operation)),
          .init("bound_time_fraction", choice.bound.map { .number($0) } ?? .null),
        ])
    }
    let frameworks = table.recommended.map { chosen -> JSONValue in
      .object(
        CheckpointSpelling.settings(of: chosen.plan.checkpointing).map {
          .init($0.framework, $0.text.map { .string($0) } ?? .null)
        })
    }
    return JSONWriter.text([
      "schema": 1, "name": .string(table.name), "device": .string(table.device),
      "capacity_bytes": .integer(table.capacity.count), "layers": .integer(table.layers),
      "recommended": choice(table.recommended), "with_slack": choice(table.withSlack),
      "mixture": choice(table.mixture), "least": choice(table.least), "helps": .bool(table.helps),
      "limit": .string(table.limit.rawValue), "settings": frameworks ?? .null,
      "remedies": .array(table.remedies.map(value(of:))),
      "plans": .array(table.plans.map(value(of:))),
      "selective": .array(table.selective.map(value(of:))),
      "min_cut": .array(table.cuts.map(value(of:))), "min_cut_mixture": choice(table.cut),
    ]) + "\n"
  }

  private static func value(of plan: CheckpointTable.Plan) -> JSONValue {
    [
      "policy": plan.checkpointing.setting, "live_bytes": .integer(plan.live.count),
      "recompute": value(of: plan.recompute), "phase": .string(plan.phase.key),
      "step_seconds": .number(plan.seconds), "on_front": .bool(plan.isOnFront),
    ]
  }
}
