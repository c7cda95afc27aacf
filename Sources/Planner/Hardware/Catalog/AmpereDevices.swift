/// Ampere: compute capability 8.0 (A100) and 8.6.
enum AmpereDevices {
  static let all: [Device] = [
    Device(
      id: "a100-40gb-pcie", name: "A100 PCIe 40 GB", memory: Bytes(40_192 << 20),
      memorySource: "PyTorch reports 39.25 to 39.56 GiB on cards of this size (out-of-memory "
        + "messages): the least",
      computeCapability: 80, multiprocessors: 108, bandwidth: 1555e9,
      rates: .init(fp32: 19.5e12, fp16: 312e12, bf16: 312e12),
      source: "Lightning throughput.py (NVIDIA datasheets); ml-engineering accelerators; "
        + "llm-analysis gpu_configs; RightNow GPU database"),
    Device(
      id: "a100-40gb-sxm", name: "A100 SXM4 40 GB", memory: Bytes(40_192 << 20),
      memorySource: "PyTorch reports 39.25 to 39.56 GiB on cards of this size (out-of-memory "
        + "messages): the least",
      computeCapability: 80, multiprocessors: 108, bandwidth: 1555e9,
      rates: .init(fp32: 19.5e12, fp16: 312e12, bf16: 312e12),
      source: "Lightning throughput.py (NVIDIA datasheets); ml-engineering accelerators; "
        + "llm-analysis gpu_configs; RightNow GPU database"),
    Device(
      id: "a100-80gb-pcie", name: "A100 PCIe 80 GB", memory: Bytes(81_039 << 20),
      memorySource: "PyTorch reports 79.14 to 79.33 GiB (out-of-memory messages): the least",
      computeCapability: 80, multiprocessors: 108, bandwidth: 1935e9,
      rates: .init(fp32: 19.5e12, fp16: 312e12, bf16: 312e12),
      source: "Lightning throughput.py (NVIDIA datasheets); ml-engineering accelerators; "
        + "llm-analysis gpu_configs; RightNow GPU database; nvidia-smi listings"),
    Device(
      id: "a100-80gb-sxm", name: "A100 SXM4 80 GB", memory: Bytes(81_049 << 20),
      memorySource: "PyTorch reports 79.15 to 79.21 GiB (torch.cuda.mem_get_info): the least",
      computeCapability: 80, multiprocessors: 108, bandwidth: 2039e9,
      rates: .init(fp32: 19.5e12, fp16: 312e12, bf16: 312e12),
      source: "Lightning throughput.py (NVIDIA datasheets); ml-engineering accelerators; "
        + "llm-analysis gpu_configs; RightNow GPU database; nvidia-smi listings"),
    Device(
      id: "a10", name: "A10", memory: Bytes(22_558 << 20),
      memorySource: "PyTorch reports 22.03 GiB (out-of-memory messages)",
      computeCapability: 86, multiprocessors: 72, bandwidth: 600e9,
      rates: .init(fp32: 31.2e12, fp16: 125e12, bf16: 125e12),
      source: "Lightning throughput.py (NVIDIA datasheets); composer speed_monitor.py; "
        + "llm-analysis gpu_configs; RightNow GPU database; nvidia-smi listings"),
    Device(
      id: "a10g", name: "A10G (AWS g5)", memory: Bytes(22_558 << 20),
      memorySource: "PyTorch reports 22.03 GiB (out-of-memory messages)",
      computeCapability: 86, multiprocessors: 80, bandwidth: 600e9,
      rates: .init(fp32: 31.52e12, fp16: 70e12, bf16: 70e12),
      source: "llm-analysis gpu_configs; RightNow GPU database; nvidia-smi listings"),
    Device(
      id: "a40", name: "A40", memory: Bytes(45_414 << 20),
      memorySource: "PyTorch reports 44.35 GiB (out-of-memory messages)",
      computeCapability: 86, multiprocessors: 84, bandwidth: 696e9,
      rates: .init(fp32: 37.4e12, fp16: 149.7e12, bf16: 149.7e12),
      source: "Lightning throughput.py (NVIDIA datasheets); RightNow GPU database; nvidia-smi "
        + "listings"),
    Device(
      id: "rtx-a6000", name: "RTX A6000", memory: Bytes(48_537 << 20),
      memorySource: "PyTorch reports 47.40 to 47.54 GiB on cards of this size (out-of-memory "
        + "messages): the least",
      computeCapability: 86, multiprocessors: 84, bandwidth: 768e9,
      rates: .init(fp32: 38.7e12, fp16: 154.85e12, bf16: 154.85e12),
      source: "torchtitan get_peak_flops; llm-analysis gpu_configs; RightNow GPU database; "
        + "nvidia-smi listings"),
    Device(
      id: "rtx-3060-12gb", name: "GeForce RTX 3060 12 GB", memory: Bytes(11_898 << 20),
      memorySource: "PyTorch reports 11.62 to 11.65 GiB on cards of this size (out-of-memory "
        + "messages): the least",
      computeCapability: 86, multiprocessors: 28, bandwidth: 360e9,
      rates: .init(fp32: 12.74e12, fp16: 25.5e12, bf16: 25.5e12),
      source: "llm.c mfu.h (NVIDIA whitepapers); RightNow GPU database"),
    Device(
      id: "rtx-3070", name: "GeForce RTX 3070", memory: Bytes(7_813 << 20),
      memorySource: "PyTorch reports 7.63 to 7.69 GiB on cards of this size (out-of-memory "
        + "messages): the least",
      computeCapability: 86, multiprocessors: 46, bandwidth: 448e9,
      rates: .init(fp32: 20.31e12, fp16: 40.6e12, bf16: 40.6e12),
      source: "llm.c mfu.h (NVIDIA whitepapers); RightNow GPU database"),
    Device(
      id: "rtx-3080-10gb", name: "GeForce RTX 3080 10 GB", memory: Bytes(9_850 << 20),
      memorySource: "PyTorch reports 9.62 to 9.75 GiB (out-of-memory messages): the least",
      computeCapability: 86, multiprocessors: 68, bandwidth: 760e9,
      rates: .init(fp32: 29.77e12, fp16: 59.5e12, bf16: 59.5e12),
      source: "llm.c mfu.h (NVIDIA whitepapers); RightNow GPU database"),
    Device(
      id: "rtx-3090", name: "GeForce RTX 3090", memory: Bytes(24_134 << 20),
      memorySource: "PyTorch reports 23.57 GiB, the total of the reference runs; 23.69 with older "
        + "drivers (out-of-memory messages)",
      computeCapability: 86, multiprocessors: 82, bandwidth: 936e9,
      rates: .init(fp32: 35.58e12, fp16: 71.2e12, bf16: 71.2e12),
      source: "llm.c mfu.h (NVIDIA whitepapers); RightNow GPU database; nvidia-smi listings"),
    Device(
      id: "rtx-3090-ti", name: "GeForce RTX 3090 Ti", memory: Bytes(24_122 << 20),
      memorySource: "nvidia-smi total less 442 MiB, as on the RTX 3090: estimated",
      computeCapability: 86, multiprocessors: 84, bandwidth: 1008e9,
      rates: .init(fp32: 40e12, fp16: 80e12, bf16: 80e12),
      source: "llm.c mfu.h (NVIDIA whitepapers); RightNow GPU database"),
  ]
}
