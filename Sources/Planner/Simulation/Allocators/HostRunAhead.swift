/// How far the host gets ahead of the device, and what it knows to be done: the limiter of FSDP 1.
///
/// The host queues work and goes on. A block that another stream reads (`record_stream`) is free once that stream has
/// passed the place where it was freed. The host is taken to be as far ahead as the limiter lets it: each time gathered
/// parameters are freed, the model's stream gets a mark, and ahead of each gather the host waits for the oldest of two
/// marks. What lies ahead of the mark on the model's stream is done then. So is the gather of the unit that was marked,
/// which the model waited for, and with it each collective that was queued ahead of that gather: one communicator runs
/// them in order.
///
/// Source: `_FreeEventQueue` in `torch/distributed/fsdp/_limiter_utils.py`, `_unshard` and `_reshard` in
/// `_runtime_utils.py`, `process_events` in `c10/cuda/CUDACachingAllocator.cpp`, PyTorch 2.11.
struct HostRunAhead: Sendable {
  /// What is known to be done.
  struct Done: Sendable {
    /// The last mark's time, and the time of the gather whose predecessors are done.
    fileprivate var marks: Int32
    fileprivate var gathers: Int32

    /// Whether the streams are done with a block.
    func covers(_ block: CachingAllocator.Pending) -> Bool {
      block.isComputed ? block.time < marks : block.time < gathers
    }
  }

  /// Marks that may be left when a gather begins (`_max_num_inflight_all_gathers`).
  private static let inFlight = 2

  /// Time: it moves on with each wait and each mark.
  private(set) var now: Int32 = 0
  private var queue: [Done] = []
  /// When what is in a slot was gathered.
  private var gathered: [Int32: Int32] = [:]
  /// When the model's stream last waited for all others.
  private var join: Int32 = 0

  /// Something is gathered into a slot.
  mutating func allocated(_ slot: Int32) { gathered[slot] = now }

  /// What was gathered into a slot, or what is there without a gather, is used and freed.
  mutating func mark(_ slot: Int32) {
    now &+= 1
    queue.append(Done(marks: now, gathers: max(join, gathered[slot] ?? 0)))
  }

  /// Backward is over: the model's stream waits for the reductions (`_post_backward_final_callback`).
  mutating func joined() {
    now &+= 1
    join = now
  }

  /// A gather begins.
  ///
  /// - Returns: What is done, where the host has waited.
  mutating func wait() -> Done? {
    now &+= 1
    return queue.count < Self.inFlight ? nil : queue.removeFirst()
  }
}
