/// Volta (compute capability 7.0) and Turing (7.5): no bf16 in hardware.
enum VoltaTuringDevices {
  static let all: [Device] = [
    Device(
      id: "v100-sxm2-16gb", name: "Tesla V100 SXM2 16 GB", memory: Bytes(16_148 << 20),
      memorySource: "PyTorch reports 15.77 to 15.78 GiB on cards of this size (out-of-memory "
        + "messages)",
      computeCapability: 70, multiprocessors: 80, bandwidth: 900e9,
      rates: .init(fp32: 15.7e12, fp16: 125e12, bf16: 0),
      source: "Lightning throughput.py (NVIDIA datasheets); llm-analysis gpu_configs; nvidia-smi "
        + "listings"),
    Device(
      id: "v100-sxm2-32gb", name: "Tesla V100 SXM2 32 GB", memory: Bytes(32_491 << 20),
      memorySource: "PyTorch reports 31.73 GiB (out-of-memory messages)",
      computeCapability: 70, multiprocessors: 80, bandwidth: 900e9,
      rates: .init(fp32: 15.7e12, fp16: 125e12, bf16: 0),
      source: "Lightning throughput.py (NVIDIA datasheets); llm-analysis gpu_configs; nvidia-smi "
        + "listings"),
    Device(
      id: "v100-pcie-16gb", name: "Tesla V100 PCIe 16 GB", memory: Bytes(16_148 << 20),
      memorySource: "PyTorch reports 15.77 to 15.78 GiB on cards of this size (out-of-memory "
        + "messages)",
      computeCapability: 70, multiprocessors: 80, bandwidth: 900e9,
      rates: .init(fp32: 14e12, fp16: 112e12, bf16: 0),
      source: "Lightning throughput.py (NVIDIA datasheets); llm-analysis gpu_configs; nvidia-smi "
        + "listings"),
    Device(
      id: "v100-pcie-32gb", name: "Tesla V100 PCIe 32 GB", memory: Bytes(32_491 << 20),
      memorySource: "PyTorch reports 31.73 GiB (out-of-memory messages)",
      computeCapability: 70, multiprocessors: 80, bandwidth: 900e9,
      rates: .init(fp32: 14e12, fp16: 112e12, bf16: 0),
      source: "Lightning throughput.py (NVIDIA datasheets); llm-analysis gpu_configs; nvidia-smi "
        + "listings"),
    Device(
      id: "t4", name: "Tesla T4", memory: Bytes(14_909 << 20),
      memorySource: "PyTorch reports 14.56 GiB (out-of-memory messages); 14.74 with older drivers",
      computeCapability: 75, multiprocessors: 40, bandwidth: 320e9,
      rates: .init(fp32: 8.1e12, fp16: 65e12, bf16: 0),
      source: "Lightning throughput.py (NVIDIA datasheets); RightNow GPU database; nvidia-smi "
        + "listings"),
    Device(
      id: "rtx-2080-ti", name: "GeForce RTX 2080 Ti", memory: Bytes(10_823 << 20),
      memorySource: "PyTorch reports 10.57 GiB, 10.75 with older drivers (out-of-memory messages)",
      computeCapability: 75, multiprocessors: 68, bandwidth: 616e9,
      rates: .init(fp32: 13.45e12, fp16: 53.8e12, bf16: 0),
      source: "RightNow GPU database"),
  ]
}
