/// What NCCL takes of a device for one communicator: buffers of each channel to each neighbour.
///
/// A connection has a buffer for each of three protocols and structures at its ends, each end in pieces of 2 MiB. A ring
/// has one connection in and one out, a tree of the devices of a node at most one more of each, and every channel has all
/// of them. Of NVIDIA/nccl#964's A100s the first of four took 144 MiB more than one of two: an end of the tree, 24 channels of
/// 6 MiB each. Both took 256 MiB beyond their connections, for something that is not known and not counted here.
///
/// Source: NCCL 2.18 and later, `src/init.cc` (`DEFAULT_LL_BUFFSIZE`, `DEFAULT_LL128_BUFFSIZE`, `DEFAULT_BUFFSIZE`),
/// `src/include/device.h`, `src/transport/p2p.cc` (`p2pSendSetup`, `p2pRecvSetup`), `src/graph/paths.cc`
/// (`ncclTopoCheckP2p`), `src/graph/connect.cc` (`ncclTopoPostset` doubles the channels found); measured in
/// NVIDIA/nccl#964; sizes of 10,485,760 and 2,097,152 bytes in the log of NVIDIA/nccl#1685.
struct NCCLBuffers: Sendable {
  /// Whether the devices are linked by NVLink.
  let isLinked: Bool
  /// Whether the receiver reads from the sender, who then has the buffer: Ampere over NVLink.
  let reads: Bool

  init(_ device: Device) {
    isLinked = Interconnect(of: device).linkText.hasPrefix("NVLink")
    reads = isLinked && device.computeCapability == 80
  }

  /// Each protocol's buffer: 8 lines of 512 threads, or 120 words of 640 threads, in 8 steps; 4 MiB.
  static let (lowLatency, lowLatency128, simple) = (8 * 512 * 8 * 16, 120 * 640 * 8 * 8, 4 << 20)
  /// `CUDA_IPC_MIN`.
  private static let granularity = 2 << 20
  /// Channels of the collectives: twice what the search finds, at least 2.
  ///
  /// Over NVLink the log of NVIDIA/nccl#1781 has 24.
  var channels: Int { isLinked ? 24 : 2 }

  private static func whole(_ bytes: Int) -> Int { (bytes / granularity + 1) * granularity }
  /// A channel's end that sends; its head has less than a piece.
  var sending: Int { Self.whole(reads ? Self.simple : 0) }
  /// A channel's end that receives.
  var receiving: Int {
    Self.whole(Self.lowLatency + Self.lowLatency128 + (reads ? 0 : Self.simple))
  }

  /// Connections of all channels, in bytes.
  ///
  /// - Parameters:
  ///   - sends: Neighbours that each channel sends to.
  ///   - receives: Neighbours that it receives from.
  func connections(sends: Int, receives: Int) -> Int {
    channels * (sends * sending + receives * receiving)
  }

  /// The ring alone: what gathers and reduce-scatters of large tensors use.
  var low: Int { connections(sends: 1, receives: 1) }
  /// The ring and a place in the middle of a tree, which small sums use.
  var expected: Int { connections(sends: 2, receives: 2) }
  /// The most that was measured of one communicator: 1.5 GiB at the first barrier (ml-engineering), 1.6 GB
  /// (NVIDIA/nccl#864); 32 channels would have 1 GiB.
  static let high = 1_610_612_736
}
