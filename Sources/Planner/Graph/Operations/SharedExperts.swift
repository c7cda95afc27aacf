/// What devices that share a layer's experts do around the router and the experts, as `transformers`' `ep_plan` has it;
/// around experts that each have a part of (`tp_plan`) they add up the same.
///
/// All of them have the same tokens and the same router. Each keeps the choices of its own experts, runs these over as
/// many rows as all experts together would take, and the results are added up. Sums are made in place.
///
/// Source: `EpRouterParallel`, `MoEParamShard` and `MoeExpertsParallel` in `distributed/tensor_parallel.py`,
/// transformers 5.17.
extension Forward {
  private func sum(of a: Value) -> Exchange {
    Exchange(
      collective: .allReduce, payload: a.spec.bytes,
      ranks: max(context.mesh.expert, context.mesh.tensor))
  }

  /// `_AllReduceBackward`: the same tensor, whose gradient is added up over the devices.
  mutating func summingGradient(_ a: Value) -> Value {
    begin("all_reduce", a)
    exchange(nil, backward: sum(of: a))
    pass(0)
    return endView(a.spec, of: a)
  }

  /// `_AllReduceForward`: the same tensor, added up over the devices.
  mutating func summedOverExperts(_ a: Value) -> Value {
    begin("all_reduce", a)
    exchange(sum(of: a), backward: nil)
    pass(0)
    return endView(a.spec, of: a)
  }

  /// What a router returned, with choices of other devices' experts replaced by a mark and weights of 0.
  ///
  /// - Parameter own: How many experts this device has.
  mutating func ownChoices(_ routed: (logits: Value, weights: Value, indices: Value), own: Int)
    -> (logits: Value, weights: Value, indices: Value)
  {
    guard context.mesh.expert > 1 else { return routed }
    enter("gate", holding: routed.logits, routed.weights, routed.indices)
    let (whole, truth) = (routed.indices.spec, routed.indices.spec.cast(to: .bool))
    var weights = local(summingGradient(routed.weights))
    let device = plain("floor_divide", whole)
    let mask = local(plain("ne", truth))
    discard(device)
    weights = local(maskedFill(weights, mask: mask), replacing: weights)
    var indices = local(plain("masked_fill", whole))
    if own > 1 {
      indices = local(plain("fmod", whole), replacing: indices)
    } else {
      for _ in 0..<2 {
        let outside = plain("compare", truth)
        indices = local(plain("masked_fill", whole), replacing: indices)
        discard(outside)
      }
    }
    let marked = plain("eq", truth)
    indices = local(plain("masked_fill", whole), replacing: indices)
    discard(marked)
    return leave(routed.logits, weights, indices)
  }
}
