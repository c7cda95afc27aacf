import Testing

@testable import Planner

@Suite("Schedules of a pipeline") struct PipelineScheduleTests {
  /// Walks a list of actions one by one.
  private func mostInFlight(_ actions: [PipelineAction]) -> Int {
    var (now, most) = (0, 0)
    for action in actions {
      if action.kind == .forward { now += 1 }
      if action.kind == .backward || action.kind == .weightBackward { now -= 1 }
      most = max(most, now)
    }
    return most
  }

  private func order(
    _ schedule: any PipelineSchedule.Type, _ rank: Int, of degree: Int, chunks: Int = 1,
    microBatches: Int
  ) throws -> PipelineOrder {
    try schedule.init(
      PipelineShape(degree: degree, chunks: chunks, microBatches: microBatches)
    ).order(rank)
  }

  @Test("GPipe has every micro-batch in flight", arguments: 2...16)
  func gpipe(degree: Int) throws {
    for rank in 0..<degree {
      let order = try order(GPipe.self, rank, of: degree, microBatches: 3 * degree)
      #expect(mostInFlight(order.unfolded) == 3 * degree)
      #expect(order.mostInFlight == 3 * degree)
    }
  }

  @Test("1F1B has min(m, p - r) in flight", arguments: 2...16)
  func oneForwardOneBackward(degree: Int) throws {
    for microBatches in [1, degree - 1, degree, 2 * degree, 500] {
      for rank in 0..<degree {
        let order = try order(
          OneForwardOneBackward.self, rank, of: degree, microBatches: microBatches)
        #expect(mostInFlight(order.unfolded) == min(microBatches, degree - rank))
        #expect(order.mostInFlight == min(microBatches, degree - rank))
      }
    }
  }

  @Test("interleaved has min(m v, 2(p - r - 1) + (v - 1)p + 1) parts in flight", arguments: 2...16)
  func interleaved(degree: Int) throws {
    for chunks in 2...4 {
      for microBatches in [degree, 2 * degree, 40 * degree] {
        for rank in 0..<degree {
          let order = try order(
            Interleaved.self, rank, of: degree, chunks: chunks, microBatches: microBatches)
          let ahead = 2 * (degree - rank - 1) + (chunks - 1) * degree + 1
          #expect(mostInFlight(order.unfolded) == min(microBatches * chunks, ahead))
        }
      }
    }
  }

  @Test("the first of eight ranks with two parts each has 23 of them in flight")
  func megatronExample() throws {
    let order = try order(Interleaved.self, 0, of: 8, chunks: 2, microBatches: 64)
    #expect(order.mostInFlight == 23)
  }

  @Test("ZB-H1 has p in flight on every rank", arguments: 2...16)
  func zeroBubbleH1(degree: Int) throws {
    for rank in 0..<degree {
      let order = try order(ZeroBubbleH1.self, rank, of: degree, microBatches: 4 * degree)
      #expect(mostInFlight(order.unfolded) == degree)
    }
  }

  @Test(
    "ZB-H2 has 2p - 1 in flight, of which 2r wait for the gradients of weights", arguments: 2...16)
  func zeroBubbleH2(degree: Int) throws {
    for rank in 0..<degree {
      let order = try order(ZeroBubbleH2.self, rank, of: degree, microBatches: 4 * degree)
      var (whole, halves, mostWhole, mostHalves) = (0, 0, 0, 0)
      for action in order.unfolded {
        switch action.kind {
        case .forward: whole += 1
        case .inputBackward: (whole, halves) = (whole - 1, halves + 1)
        case .backward, .weightBackward: halves -= 1
        }
        (mostWhole, mostHalves) = (max(mostWhole, whole), max(mostHalves, halves))
      }
      // (2p - 2i + 1) M_B + (2i - 2) M_W on stage i = r + 1, and one M_W between a backward's halves.
      let stage = rank + 1
      #expect(mostWhole == 2 * degree - 2 * stage + 1)
      #expect(mostHalves == 2 * stage - 2 + 1)
      #expect(mostInFlight(order.unfolded) == 2 * degree - 1)
      #expect(order.mostInFlight == 2 * degree - 1)
    }
  }

  @Test("no rank of ZB-H2 waits between its first and its last pass", arguments: 2...16)
  func withoutBubble(degree: Int) throws {
    let microBatches = 4 * degree
    let lists = try (0..<degree).map {
      try order(ZeroBubbleH2.self, $0, of: degree, microBatches: microBatches).unfolded
    }
    // Every pass takes one unit; a pass starts as soon as its rank and what it is sent allow.
    var forward = [Int?](repeating: nil, count: degree * microBatches)
    var backward = forward
    var (at, clock) = ([Int](repeating: 0, count: degree), [Int](repeating: 0, count: degree))
    var counts = [[Int]](repeating: [0, 0], count: degree)
    var idle = 0
    while let rank = lists.indices.first(where: { rank in
      guard at[rank] < lists[rank].count else { return false }
      switch lists[rank][at[rank]].kind {
      case .forward: return rank == 0 || forward[(rank - 1) * microBatches + counts[rank][0]] != nil
      case .inputBackward:
        return rank == degree - 1 || backward[(rank + 1) * microBatches + counts[rank][1]] != nil
      default: return true
      }
    }) {
      let kind = lists[rank][at[rank]].kind
      var start = clock[rank]
      if kind == .forward {
        let number = counts[rank][0]
        if rank > 0 { start = max(start, forward[(rank - 1) * microBatches + number] ?? 0) }
        if at[rank] > 0 { idle += start - clock[rank] }
        forward[rank * microBatches + number] = start + 1
        counts[rank][0] += 1
      } else if kind == .inputBackward {
        let number = counts[rank][1]
        if rank < degree - 1 {
          start = max(start, backward[(rank + 1) * microBatches + number] ?? 0)
        }
        idle += start - clock[rank]
        backward[rank * microBatches + number] = start + 1
        counts[rank][1] += 1
      }
      clock[rank] = start + 1
      at[rank] += 1
    }
    #expect(zip(at, lists).allSatisfy { $0 == $1.count })
    #expect(idle == 0)
    #expect(clock == (0..<degree).map { $0 + 3 * microBatches })
  }

  @Test("ZB-V has 2p parts of half a rank in flight on every rank", arguments: 2...16)
  func zeroBubbleV(degree: Int) throws {
    for rank in 0..<degree {
      let order = try order(ZeroBubbleV.self, rank, of: degree, chunks: 2, microBatches: 6 * degree)
      #expect(mostInFlight(order.unfolded) == 2 * degree)
    }
  }

  @Test("DualPipe has p + 1 stages in flight on every rank", arguments: [2, 4, 8, 16])
  func dualPipe(degree: Int) throws {
    for rank in 0..<degree {
      let order = try order(DualPipe.self, rank, of: degree, chunks: 2, microBatches: 6 * degree)
      #expect(mostInFlight(order.unfolded) == degree + 1)
      #expect(order.mostInFlight == degree + 1)
    }
  }

  @Test("DualPipeV has 2p + 1 half stages in flight on every rank", arguments: 2...16)
  func dualPipeV(degree: Int) throws {
    for rank in 0..<degree {
      let order = try order(DualPipeV.self, rank, of: degree, chunks: 2, microBatches: 6 * degree)
      #expect(mostInFlight(order.unfolded) == 2 * degree + 1)
    }
  }

  @Test("repetitions stand for the list of every micro-batch", arguments: 2...6)
  func repetitions(degree: Int) throws {
    for schedule in PipelineSchedules.all {
      let chunks = schedule.chunks ?? 2
      for microBatches in [4 * degree, 30 * degree, 60 * degree] {
        for rank in 0..<degree {
          guard
            let order = try? order(
              schedule, rank, of: degree, chunks: chunks, microBatches: microBatches)
          else { continue }
          let each = schedule.placement == .bothWays ? microBatches / 2 : microBatches
          for chunk in 0..<chunks {
            let list = order.unfolded.filter { $0.chunk == chunk }
            #expect(list.count { $0.kind == .forward } == each)
            #expect(list.count { $0.kind == .backward || $0.kind == .inputBackward } == each)
            #expect(list.count { $0.kind == .backward || $0.kind == .weightBackward } == each)
          }
          #expect(order.pieces.count < 40 * degree)
          #expect(order.mostInFlight == mostInFlight(order.unfolded))
        }
      }
    }
  }

  @Test(
    "no rank waits for what is never sent, and the bubble of equal stages is (p - 1) / (m + p - 1)")
  func bubble() throws {
    for degree in [2, 4, 8] {
      for schedule in PipelineSchedules.all {
        let chunks = schedule.chunks ?? 2
        for microBatches in [2 * degree, 8 * degree, 100 * degree] {
          let shape = PipelineShape(degree: degree, chunks: chunks, microBatches: microBatches)
          let pipeline = PipelinePlan(
            shape: shape, schedule: try schedule.init(shape), split: LayerSplit(),
            transport: .torch(isRuntime: schedule.isRuntime))
          let pass = PassTimes(forward: 1, backward: 2)
          let clock = try PipelineClock(
            pipeline, layers: degree * chunks,
            times: Array(repeating: Array(repeating: pass, count: chunks), count: degree), delay: 0)
          let passes = schedule.placement == .bothWays ? microBatches / 2 : microBatches
          let work = Double(3 * passes * chunks)
          #expect(clock.seconds >= work * 0.999_999)
          if schedule == GPipe.self || schedule == OneForwardOneBackward.self {
            let expected = Double(degree - 1) / Double(microBatches + degree - 1)
            #expect(abs(clock.bubble - expected) < 1e-9)
          }
          if schedule == Interleaved.self {
            // (p - 1) / (v m) of the work: Narayanan et al. 2021, section 2.2.2.
            let expected = work * (1 + Double(degree - 1) / Double(chunks * microBatches))
            #expect(abs(clock.seconds - expected) < 1e-6 * expected)
          }
          if schedule == ZeroBubbleV.self, microBatches >= 8 * degree {
            #expect(clock.bubble < Double(degree - 1) / Double(microBatches))
          }
        }
      }
    }
  }

  @Test("what the frameworks refuse is refused") func refusals() {
    let refused: [(any PipelineSchedule.Type, PipelineShape)] = [
      (Interleaved.self, PipelineShape(degree: 4, chunks: 2, microBatches: 9)),
      (DualPipe.self, PipelineShape(degree: 3, chunks: 2, microBatches: 12)),
      (DualPipe.self, PipelineShape(degree: 4, chunks: 2, microBatches: 7)),
      (DualPipeV.self, PipelineShape(degree: 4, chunks: 2, microBatches: 7)),
    ]
    for (schedule, shape) in refused {
      #expect(throws: PlanError.self) { try schedule.init(shape) }
    }
  }
}
