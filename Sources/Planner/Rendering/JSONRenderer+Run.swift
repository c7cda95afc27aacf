extension JSONRenderer {
  /// What a run takes; amounts that nobody has a price for are `null`.
  static func value(of run: Run) -> JSONValue {
    let time = run.time
    let members: [(String, JSONValue)] = [
      ("tokens", .integer(run.length.tokens)),
      ("dataset_tokens", .integer(run.length.datasetTokens)),
      ("tokens_per_step", .integer(run.length.tokensPerStep)),
      ("steps", .integer(run.length.steps)),
      ("flops", number(run.work.flops.count)),
      ("model_flops", number(run.work.modelFLOPs.count)),
      ("flops_6nd", number(run.work.sixND.count)),
      (
        "step_seconds",
        [
          "low": .number(time.step.low.value), "expected": .number(time.step.expected.value),
          "high": .number(time.step.high.value), "measured": .bool(time.isMeasured),
        ]
      ),
      (
        "hours",
        [
          "low": .number(time.lowHours), "expected": .number(time.hours),
          "high": .number(time.highHours),
        ]
      ),
      ("device_hours", .number(time.deviceHours)),
      ("devices", .integer(time.devices)),
      ("nodes", .integer(run.nodes)),
      ("devices_per_node", .integer(run.devicesPerNode)),
      ("energy", run.energy.map(value(of:)) ?? .null),
      ("cost", value(of: run.cost)),
      ("storage", value(of: run.storage)),
      ("assumptions", .array(run.assumptions.map(value(of:)))),
    ]
    return .object(members.map { .init($0.0, $0.1) })
  }

  private static func value(of energy: RunEnergy) -> JSONValue {
    [
      "device_watts": .number(energy.deviceWatts), "kilowatts": .number(energy.kilowatts),
      "kilowatt_hours": .number(energy.kilowattHours), "cost": .number(energy.cost),
    ]
  }

  private static func value(of cost: RunCost) -> JSONValue {
    func amount(_ amount: Double?) -> JSONValue { amount.map { .number($0) } ?? .null }
    return [
      "currency": .string(cost.currency), "rented": amount(cost.rented),
      "bought": amount(cost.bought), "hardware": amount(cost.hardware),
      "written_off": amount(cost.writtenOff), "energy": amount(cost.energy),
      "break_even_hours": amount(cost.breakEvenHours),
      "rented_per_year": amount(cost.rentedPerYear), "bought_per_year": amount(cost.boughtPerYear),
      "rental": cost.rental.map(value(of:)) ?? .null, "price": cost.price.map(value(of:)) ?? .null,
    ]
  }

  private static func value(of price: DevicePrice) -> JSONValue {
    [
      "amount": .number(price.amount), "currency": .string(price.currency),
      "seller": .string(price.seller), "as_of": .string(price.asOf),
      "source": .string(price.source),
    ]
  }

  private static func value(of storage: RunStorage) -> JSONValue {
    [
      "dataset_bytes": .integer(storage.dataset.count),
      "model_bytes": .integer(storage.checkpoint.model.count),
      "checkpoint_weights_bytes": .integer(storage.checkpoint.weights.count),
      "checkpoint_states_bytes": .integer(storage.checkpoint.states.count),
      "checkpoints_kept": .integer(storage.kept),
      "checkpoints_written": .integer(storage.written),
      "logs_bytes": .integer(storage.logs.count), "total_bytes": .integer(storage.total.count),
      "read_bytes": .integer(storage.read.count), "written_bytes": .integer(storage.sent.count),
      "exchanged_bytes": .number(storage.exchanged.rounded()),
    ]
  }
}
