/// Blackwell: compute capability 10.0, 10.3 (Ultra) and 12.0 (GeForce and workstation).
enum BlackwellDevices {
  static let all: [Device] = [
    Device(
      id: "b200", name: "B200 SXM 180 GB", memory: Bytes(182_630 << 20),
      memorySource: "PyTorch reports 178.35 GiB (out-of-memory messages); the reference runs had "
        + "182,642 MiB",
      computeCapability: 100, multiprocessors: 148, bandwidth: 8000e9,
      rates: .init(fp32: 80e12, fp16: 2250e12, bf16: 2250e12),
      source: "ml-engineering accelerators; torchtitan get_peak_flops; nvidia-smi listings"),
    Device(
      id: "gb200", name: "GB200 (per GPU, NVL72)", memory: Bytes(188_733 << 20),
      memorySource: "PyTorch reports 184.31 GiB (out-of-memory messages)",
      computeCapability: 100, multiprocessors: 152, bandwidth: 8000e9,
      rates: .init(fp32: 80e12, fp16: 2500e12, bf16: 2500e12),
      source: "ml-engineering accelerators; torchtitan get_peak_flops; nvidia-smi listings"),
    Device(
      id: "b300", name: "B300 SXM", memory: Bytes(274_114 << 20),
      memorySource: "PyTorch reports 267.69 GiB (out-of-memory messages)",
      computeCapability: 103, multiprocessors: 148, bandwidth: 8000e9,
      rates: .init(fp32: 80e12, fp16: 2250e12, bf16: 2250e12),
      source: "ml-engineering accelerators; torchtitan get_peak_flops; nvidia-smi listings"),
    Device(
      id: "gb300", name: "GB300 (per GPU, NVL72)", memory: Bytes(283_136 << 20),
      memorySource: "PyTorch reports 276.50 GiB on the GB300 of a DGX Station (out-of-memory "
        + "messages)",
      computeCapability: 103, multiprocessors: 152, bandwidth: 8000e9,
      rates: .init(fp32: 80e12, fp16: 2500e12, bf16: 2500e12),
      source: "ml-engineering accelerators; torchtitan get_peak_flops"),
    Device(
      id: "rtx-5080", name: "GeForce RTX 5080", memory: Bytes(15_831 << 20),
      memorySource: "PyTorch reports 15.46 to 15.48 GiB on cards of this size (out-of-memory "
        + "messages): the least",
      computeCapability: 120, multiprocessors: 84, bandwidth: 960e9,
      rates: .init(fp32: 56.28e12, fp16: 112.6e12, bf16: 112.6e12),
      source: "RightNow GPU database; nvidia-smi listings; BLACKWALL; tensor rates derived"),
    Device(
      id: "rtx-5090", name: "GeForce RTX 5090", memory: Bytes(32_112 << 20),
      memorySource: "PyTorch reports 31.36 to 31.40 GiB (out-of-memory messages): the least",
      computeCapability: 120, multiprocessors: 170, bandwidth: 1792e9,
      rates: .init(fp32: 104.8e12, fp16: 209.5e12, bf16: 209.5e12),
      source: "RightNow GPU database; nvidia-smi listings; hmc-tech.com; BLACKWALL"),
    Device(
      id: "rtx-pro-6000-blackwell", name: "RTX PRO 6000 Blackwell Workstation 96 GB",
      memory: Bytes(97_249 << 20),
      memorySource: "PyTorch reports 94.97 GiB (out-of-memory messages)",
      computeCapability: 120, multiprocessors: 188, bandwidth: 1792e9,
      rates: .init(fp32: 126e12, fp16: 503.8e12, bf16: 503.8e12),
      source: "RightNow GPU database; nvidia-smi listings; ml-engineering accelerators; "
        + "topcpu.net; tensor rates derived"),
  ]
}
