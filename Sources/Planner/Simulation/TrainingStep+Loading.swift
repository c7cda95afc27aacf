extension LayerStack {
  /// Whether one of its layers runs the section.
  fileprivate func runs(_ section: Int) -> Bool {
    leading?.section == section || pattern.contains(section)
  }

  /// What its layer number `layer` runs.
  fileprivate func section(of layer: Int) -> Int {
    let ahead = leading?.count ?? 0
    guard layer >= ahead, !pattern.isEmpty else { return leading?.section ?? 0 }
    return pattern[(layer - ahead) % pattern.count]
  }
}

/// The weights one by one, as a model is loaded: for the allocator, which sees every tensor.
extension TrainingStep {
  /// Every weight of every layer, in the order of `model.parameters()`.
  static func layerByLayer(_ weights: [Weight], of graph: LayerGraph) -> [Weight] {
    var listed: [Weight] = []
    var remaining = graph.stacks
    func add(_ weight: Weight) {
      var one = weight
      one.count = 1
      one.section = 0
      listed.append(one)
    }
    let sections = graph.program.sections
    for weight in weights {
      guard weight.section > 0 else {
        add(weight)
        continue
      }
      guard let index = remaining.firstIndex(where: { $0.runs(weight.section) }) else { continue }
      let stack = remaining.remove(at: index)
      for layer in 0..<stack.layers {
        for leaf in sections[stack.section(of: layer)].leaves { add(weights[leaf]) }
      }
    }
    return listed
  }

  /// Gives each trained weight two storages of its own: where it lies, and where its optimizer moves it.
  static func nameMemory(of weights: inout [Weight], in tape: inout Tape) {
    for index in weights.indices where weights[index].trainable && weights[index].tensors.count == 1
    {
      weights[index].storage = tape.reserveStorages(2)
    }
  }

  /// The weights with the storages of their gradients, where each layer ran on its own: backward came to the last first.
  static func withGradients(_ weights: [Weight], of tape: Tape) -> [Weight] {
    guard tape.unrolls, tape.distribution == nil else { return weights }
    var storages: [Int: [Int32]] = [:]
    for (leaf, storage) in zip(tape.gradientLeaves, tape.gradients) {
      storages[Int(leaf), default: []].append(storage)
    }
    return weights.map { weight in
      var weight = weight
      weight.gradient = storages[weight.leaf]?.popLast() ?? -1
      return weight
    }
  }

  /// Quantized weights come to the device whole, one after the other, ahead of all others.
  ///
  /// Source: `Params4bit._quantize` and `Int8Params._quantize` in `bitsandbytes/nn/modules.py`, bitsandbytes 0.50.
  static func quantize(_ weights: [Weight], _ schedule: inout Schedule) {
    let moment = Moment.resident.rawValue
    for weight in weights where !weight.loading.isEmpty {
      for bytes in weight.loading { schedule.allocate(bytes, .other, moment) }
      for bytes in weight.tensors {
        schedule.allocate(bytes, .parameters, moment, storage: Event.lasting)
      }
      for bytes in weight.loading { schedule.free(bytes, .other, moment) }
    }
  }
}
