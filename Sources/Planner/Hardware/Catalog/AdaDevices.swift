/// Ada Lovelace: compute capability 8.9.
enum AdaDevices {
  static let all: [Device] = [
    Device(
      id: "l4", name: "L4", memory: Bytes(22_558 << 20),
      memorySource: "PyTorch reports 22.03 GiB (out-of-memory messages)",
      computeCapability: 89, multiprocessors: 58, bandwidth: 300e9,
      rates: .init(fp32: 30.3e12, fp16: 121e12, bf16: 121e12),
      source: "Lightning throughput.py (NVIDIA datasheets); RightNow GPU database; nvidia-smi "
        + "listings"),
    Device(
      id: "l40s", name: "L40S", memory: Bytes(45_455 << 20),
      memorySource: "PyTorch reports 44.39 to 44.52 GiB (out-of-memory messages): the least; the "
        + "reference runs had 44.40",
      computeCapability: 89, multiprocessors: 142, bandwidth: 864e9,
      rates: .init(fp32: 91.6e12, fp16: 362e12, bf16: 362e12),
      source: "ml-engineering accelerators; RightNow GPU database; nvidia-smi listings"),
    Device(
      id: "rtx-4060-ti-16gb", name: "GeForce RTX 4060 Ti 16 GB", memory: Bytes(15_933 << 20),
      memorySource: "PyTorch reports 15.56 to 15.70 GiB on cards of this size (out-of-memory "
        + "messages): the least",
      computeCapability: 89, multiprocessors: 34, bandwidth: 288e9,
      rates: .init(fp32: 22.06e12, fp16: 44.1e12, bf16: 44.1e12),
      source: "llm.c mfu.h (NVIDIA whitepapers); RightNow GPU database; nvidia-smi listings"),
    Device(
      id: "rtx-4070-ti-super", name: "GeForce RTX 4070 Ti SUPER", memory: Bytes(15_933 << 20),
      memorySource: "PyTorch reports 15.56 to 15.70 GiB on cards of this size (out-of-memory "
        + "messages): the least",
      computeCapability: 89, multiprocessors: 66, bandwidth: 672e9,
      rates: .init(fp32: 44.1e12, fp16: 88.2e12, bf16: 88.2e12),
      source: "llm.c mfu.h (NVIDIA whitepapers); RightNow GPU database; nvidia-smi listings"),
    Device(
      id: "rtx-4080", name: "GeForce RTX 4080", memory: Bytes(15_933 << 20),
      memorySource: "PyTorch reports 15.56 to 15.70 GiB on cards of this size (out-of-memory "
        + "messages): the least",
      computeCapability: 89, multiprocessors: 76, bandwidth: 717e9,
      rates: .init(fp32: 48.74e12, fp16: 97.5e12, bf16: 97.5e12),
      source: "llm.c mfu.h (NVIDIA whitepapers); RightNow GPU database; nvidia-smi listings"),
    Device(
      id: "rtx-4090", name: "GeForce RTX 4090", memory: Bytes(24_207 << 20),
      memorySource: "PyTorch reports 23.64 GiB (out-of-memory messages); the newest drivers leave "
        + "23.52; the reference runs had 24,209 MiB",
      computeCapability: 89, multiprocessors: 128, bandwidth: 1008e9,
      rates: .init(fp32: 82.58e12, fp16: 165.2e12, bf16: 165.2e12),
      source: "llm.c mfu.h (NVIDIA whitepapers); RightNow GPU database; nvidia-smi listings; "
        + "waredb.com; hmc-tech.com"),
    Device(
      id: "rtx-6000-ada", name: "RTX 6000 Ada Generation", memory: Bytes(48_506 << 20),
      memorySource: "PyTorch reports 47.37 GiB (out-of-memory messages)",
      computeCapability: 89, multiprocessors: 142, bandwidth: 960e9,
      rates: .init(fp32: 91.1e12, fp16: 364.2e12, bf16: 364.2e12),
      source: "RightNow GPU database; nvidia-smi listings; ml-engineering accelerators; tensor "
        + "rates derived"),
  ]
}
