/// What devices of the catalog were sold and rented for: figures of a day, not of the device.
///
/// US dollars without taxes, for one device and hour, read in 2026-11. A user's ``PriceList`` goes ahead of them. Of
/// several rows for a device the newest is taken, of equally new ones the first.
enum CatalogPrices {
  /// One price of one device.
  struct Row: Sendable {
    let device: String
    let price: DevicePrice

    init(
      _ device: String, _ amount: Double, _ seller: String, _ asOf: String, _ source: String
    ) {
      self.device = device
      price = DevicePrice(
        amount: amount, currency: CatalogPrices.currency, seller: seller, asOf: asOf,
        source: source)
    }
  }

  /// The currency of every row.
  static let currency = "USD"

  private static let lambdaBenchmark =
    "github:lambdal/deeplearning-benchmark, pytorch/pytorch-train-throughput-fp16.csv"

  /// What one device cost to buy, without the server around it.
  static let bought: [Row] = [
    .init("v100-sxm2-16gb", 9937.5, "Lambda, list price", "2024-07-24", lambdaBenchmark),
    .init(
      "rtx-2080-ti", 999, "maker's price at launch", "2018-09",
      "from memory; look it up before it decides anything"),
    .init("a100-40gb-pcie", 10437.5, "Lambda, list price", "2024-07-24", lambdaBenchmark),
    .init("a100-80gb-pcie", 13287.5, "Lambda, list price", "2024-07-24", lambdaBenchmark),
    .init("a100-80gb-sxm", 16250, "Lambda, list price", "2024-07-24", lambdaBenchmark),
    .init("a10", 3125, "Lambda, list price", "2024-07-24", lambdaBenchmark),
    .init("rtx-a6000", 4437.5, "Lambda, list price", "2024-07-24", lambdaBenchmark),
    .init("h100-pcie", 30918, "Lambda, list price", "2024-07-24", lambdaBenchmark),
    .init("h100-sxm", 36718.75, "Lambda, list price", "2024-07-24", lambdaBenchmark),
    .init(
      "h200-sxm", 35000, "market survey, round figure", "2026-03",
      "ai-infra-index, 2026-03; of low authority"),
    .init(
      "b200", 40000, "market survey, round figure", "2026-03",
      "ai-infra-index, 2026-03; of low authority"),
    .init(
      "rtx-3060-12gb", 329, "maker's price at launch", "2021-02",
      "from memory; look it up before it decides anything"),
    .init(
      "rtx-3070", 499, "maker's price at launch", "2020-10",
      "from memory; look it up before it decides anything"),
    .init(
      "rtx-3080-10gb", 699, "maker's price at launch", "2020-09",
      "from memory; look it up before it decides anything"),
    .init("rtx-3090", 2750, "Lambda, list price", "2024-07-24", lambdaBenchmark),
    .init(
      "rtx-3090-ti", 1999, "maker's price at launch", "2022-03",
      "from memory; look it up before it decides anything"),
    .init(
      "rtx-4060-ti-16gb", 499, "maker's price at launch", "2023-07",
      "from memory; look it up before it decides anything"),
    .init(
      "rtx-4070-ti-super", 799, "maker's price at launch", "2024-01",
      "from memory; look it up before it decides anything"),
    .init("rtx-4080", 1199, "maker's price at launch", "2022-11", "incpak.com/?p=136649"),
    .init(
      "rtx-4090", 1599, "maker's price at launch", "2022-10-12",
      "holynerdvana.blogspot.com/2022/10/nvidia-geforce-rtx-4090-specifications.html"),
    .init("rtx-4090", 2125, "Lambda, list price", "2024-07-24", lambdaBenchmark),
    .init(
      "rtx-5080", 999, "maker's price at launch", "2025-01-30",
      "from memory; look it up before it decides anything"),
    .init(
      "rtx-5090", 1999, "maker's price at launch", "2025-01-30",
      "hmc-tech.com/gpu/nvidia-6x-geforce-rtx-5090-vs-nvidia-geforce-rtx-4080"),
    .init("rtx-6000-ada", 7680, "Lambda, list price", "2024-07-24", lambdaBenchmark),
    .init(
      "rtx-pro-6000-blackwell", 8565, "retail, 8,000 to 9,200 USD", "2026-04",
      "www.newgearhub.com/review/nvidia-gtc-2026-blackwell-gpus-pro-workstations (retail 8,000-9,200 USD)"
    ),
    .init(
      "apple-m3-ultra", 9499, "maker's price at launch", "2025-03",
      "from memory (512 GB configuration); look it up before it decides anything"),
    .init(
      "apple-m4-max", 3699, "maker's price at launch", "2025-03",
      "from memory (Mac Studio 128 GB); look it up before it decides anything"),
  ]

  /// What one device cost to rent for an hour.
  static let rented: [Row] = [
    .init(
      "v100-sxm2-16gb", 0.49, "Google Colab, pay as you go", "2024-04-10",
      "github:chrisjmccormick/chrisjmccormick.github.io _posts/2024-04-23-colab-gpus-features-and-pricing.md"
    ),
    .init(
      "v100-sxm2-16gb", 0.79, "Lambda", "2025",
      "github:skypilot-org/skypilot-catalog catalogs/v8/lambda/vms.csv @0f40703"),
    .init(
      "v100-sxm2-16gb", 2.5, "NCHC Taiwan, commercial rate", "2024",
      "Scenarios/claims: 004_1d5b250ef051930a.txt"),
    .init(
      "v100-sxm2-16gb", 0.5, "NCHC Taiwan, academic rate", "2024",
      "Scenarios/claims: 004_1d5b250ef051930a.txt"),
    .init(
      "v100-sxm2-32gb", 2.5, "NCHC Taiwan, commercial rate", "2024",
      "Scenarios/claims: 004_1d5b250ef051930a.txt"),
    .init(
      "v100-sxm2-32gb", 0.5, "NCHC Taiwan, academic rate", "2024",
      "Scenarios/claims: 004_1d5b250ef051930a.txt"),
    .init(
      "v100-pcie-16gb", 2.5, "NCHC Taiwan, commercial rate", "2024",
      "Scenarios/claims: 004_1d5b250ef051930a.txt"),
    .init(
      "v100-pcie-16gb", 0.5, "NCHC Taiwan, academic rate", "2024",
      "Scenarios/claims: 004_1d5b250ef051930a.txt"),
    .init(
      "v100-pcie-32gb", 2.5, "NCHC Taiwan, commercial rate", "2024",
      "Scenarios/claims: 004_1d5b250ef051930a.txt"),
    .init(
      "v100-pcie-32gb", 0.5, "NCHC Taiwan, academic rate", "2024",
      "Scenarios/claims: 004_1d5b250ef051930a.txt"),
    .init(
      "t4", 0.18, "Google Colab, pay as you go", "2024-04-10",
      "github:chrisjmccormick/chrisjmccormick.github.io _posts/2024-04-23-colab-gpus-features-and-pricing.md"
    ),
    .init(
      "a100-40gb-pcie", 1.45, "Crusoe, on demand", "2026-08-19",
      "github:dstackai/gpuhunt src/gpuhunt/providers/crusoe.py"),
    .init(
      "a100-40gb-sxm", 1.844, "AWS Capacity Blocks for ML", "2024-12",
      "AWS EC2 Capacity Blocks pricing page, rates until 2025-01-01"),
    .init(
      "a100-40gb-sxm", 1.18, "Google Colab, pay as you go", "2024-04-22",
      "github:chrisjmccormick/chrisjmccormick.github.io _posts/2024-04-23-colab-gpus-features-and-pricing.md"
    ),
    .init(
      "a100-80gb-pcie", 1.65, "Crusoe, on demand", "2026-08-19",
      "github:dstackai/gpuhunt src/gpuhunt/providers/crusoe.py"),
    .init(
      "a100-80gb-pcie", 1.39, "RunPod secure", "2025",
      "github:skypilot-org/skypilot-catalog catalogs/v8/runpod/vms.csv @01acdfd"),
    .init(
      "a100-80gb-sxm", 1.95, "Crusoe, on demand", "2026-08-19",
      "github:dstackai/gpuhunt src/gpuhunt/providers/crusoe.py"),
    .init(
      "a40", 0.9, "Crusoe, on demand", "2026-08-19",
      "github:dstackai/gpuhunt src/gpuhunt/providers/crusoe.py"),
    .init(
      "rtx-a6000", 1.09, "Lambda", "2025",
      "github:skypilot-org/skypilot-catalog catalogs/v8/lambda/vms.csv @0f40703"),
    .init(
      "l4", 0.48, "Google Colab, pay as you go", "2024-04-22",
      "github:chrisjmccormick/chrisjmccormick.github.io _posts/2024-04-23-colab-gpus-features-and-pricing.md"
    ),
    .init(
      "l40s", 1, "Crusoe, on demand", "2026-08-19",
      "github:dstackai/gpuhunt src/gpuhunt/providers/crusoe.py"),
    .init(
      "h100-sxm", 3.9, "Crusoe, on demand", "2026-08-19",
      "github:dstackai/gpuhunt src/gpuhunt/providers/crusoe.py"),
    .init(
      "h100-sxm", 4.916, "AWS Capacity Blocks for ML", "2024-12",
      "AWS EC2 Capacity Blocks pricing page, rates until 2025-01-01"),
    .init(
      "h200-sxm", 4.29, "Crusoe, on demand", "2026-08-19",
      "github:dstackai/gpuhunt src/gpuhunt/providers/crusoe.py"),
    .init(
      "h200-sxm", 5.408, "AWS Capacity Blocks for ML", "2024-12",
      "AWS EC2 Capacity Blocks pricing page, rates until 2025-01-01"),
    .init(
      "b200", 7.25, "Crusoe, on demand", "2026-08-19",
      "github:dstackai/gpuhunt src/gpuhunt/providers/crusoe.py (marked an estimate in the file)"),
    .init(
      "mi300x", 3.45, "Crusoe, on demand", "2026-08-19",
      "github:dstackai/gpuhunt src/gpuhunt/providers/crusoe.py"),
    .init(
      "tpu-v4", 3.22, "Google Cloud us-central2 (pod), per chip, on demand", "2024-12-23",
      "github:dstackai/gpuhunt src/gpuhunt/resources/tpu_pricing.json"),
    .init(
      "tpu-v5e", 1.2, "Google Cloud us-central1, per chip, on demand", "2024-12-23",
      "github:dstackai/gpuhunt src/gpuhunt/resources/tpu_pricing.json"),
    .init(
      "tpu-v5p", 4.2, "Google Cloud us-east5, per chip, on demand", "2024-12-23",
      "github:dstackai/gpuhunt src/gpuhunt/resources/tpu_pricing.json"),
    .init(
      "tpu-v6e", 2.7, "Google Cloud us-east1, per chip, on demand", "2024-12-23",
      "github:dstackai/gpuhunt src/gpuhunt/resources/tpu_pricing.json"),
  ]

  /// The newest row of a device, or `nil`.
  static func newest(_ rows: [Row], of device: String) -> DevicePrice? {
    var best: DevicePrice?
    for row in rows where row.device == device {
      // A date in digits is newer than none; dates are year, month, day.
      let isNewer = best.map { row.price.isDated && (!$0.isDated || row.price.asOf > $0.asOf) }
      if isNewer ?? true { best = row.price }
    }
    return best
  }
}
