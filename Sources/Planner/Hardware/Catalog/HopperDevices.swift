/// Hopper: compute capability 9.0.
enum HopperDevices {
  static let all: [Device] = [
    Device(
      id: "h100-pcie", name: "H100 PCIe 80 GB", memory: Bytes(81_089 << 20),
      memorySource: "81,089 MiB, the total of the reference runs; PyTorch reports 79.10 to 79.33 "
        + "GiB on 80 GB cards (out-of-memory messages)",
      computeCapability: 90, multiprocessors: 114, bandwidth: 2000e9,
      rates: .init(fp32: 51.2e12, fp16: 756e12, bf16: 756e12),
      source: "Lightning throughput.py (NVIDIA datasheets); ml-engineering accelerators; "
        + "llm-analysis gpu_configs; RightNow GPU database; nvidia-smi listings"),
    Device(
      id: "h100-sxm", name: "H100 SXM5 80 GB", memory: Bytes(81_089 << 20),
      memorySource: "81,089 MiB, the total of the reference runs; PyTorch reports 79.10 to 79.33 "
        + "GiB on 80 GB cards (out-of-memory messages)",
      computeCapability: 90, multiprocessors: 132, bandwidth: 3350e9,
      rates: .init(fp32: 67e12, fp16: 989.5e12, bf16: 989.5e12),
      source: "Lightning throughput.py (NVIDIA datasheets); ml-engineering accelerators; "
        + "llm-analysis gpu_configs; RightNow GPU database; nvidia-smi listings"),
    Device(
      id: "h100-nvl", name: "H100 NVL 94 GB (per card; sold also as a pair of 188 GB)",
      memory: Bytes(95_252 << 20),
      memorySource: "PyTorch reports 93.02 to 93.11 GiB (out-of-memory messages): the least",
      computeCapability: 90, multiprocessors: 132, bandwidth: 3938e9,
      rates: .init(fp32: 60e12, fp16: 835.5e12, bf16: 835.5e12),
      source: "Lightning throughput.py (NVIDIA datasheets); RightNow GPU database; nvidia-smi "
        + "listings; bandwidth recalled"),
    Device(
      id: "h200-sxm", name: "H200 SXM 141 GB", memory: Bytes(143_155 << 20),
      memorySource: "PyTorch reports 139.80 GiB (out-of-memory messages); the reference runs had "
        + "143,156 MiB",
      computeCapability: 90, multiprocessors: 132, bandwidth: 4800e9,
      rates: .init(fp32: 67e12, fp16: 989.5e12, bf16: 989.5e12),
      source: "Lightning throughput.py (NVIDIA datasheets); ml-engineering accelerators; RightNow "
        + "GPU database; nvidia-smi listings"),
  ]
}
