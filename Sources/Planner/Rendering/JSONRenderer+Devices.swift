extension JSONRenderer {
  static func render(_ devices: DeviceTable, style: TextStyle) -> String {
    var rows = devices.rows.map { row -> JSONValue in
      var members: [JSONValue.Member] = [
        .init("device", .string(row.device.id)), .init("fits", .bool(row.count != nil)),
        .init("count", row.count.map { .integer($0) } ?? .null),
        .init("capacity_bytes", .integer(row.device.memory.count)),
      ]
      if let report = row.report, let seconds = row.seconds {
        members += [
          .init("peak", value(of: report.peak)), .init("step_seconds", .number(seconds)),
          .init("added_strategy", row.addsSharding ? .string(FullyShard.name) : .null),
        ]
      }
      if let run = row.run { members.append(.init("run", value(of: run))) }
      if let reason = row.reason { members.append(.init("reason", .string(reason))) }
      return .object(members)
    }
    rows += devices.unplanned.map { (device) -> JSONValue in
      [
        "device": .string(device.id), "fits": false, "count": nil, "capacity_bytes": nil,
        "reason": .string(device.reason),
      ]
    }
    let document: JSONValue = [
      "schema": 1, "name": .string(devices.name), "run_given": .bool(devices.isRunGiven),
      "currency": .string(devices.currency), "devices": .array(rows),
    ]
    return JSONWriter.text(document) + "\n"
  }
}
