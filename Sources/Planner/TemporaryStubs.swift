// Stand-ins for the catalogs until they are merged; delete this file then.
/// Stub.
public struct CatalogModel: Sendable {
  /// Stub.
  public var id: String, hub: String
  /// Stub.
  public var config: JSONValue
  /// Stub.
  public var parameters: Int
  /// Stub.
  public var source: String
}
/// Stub.
public enum ModelCatalog {
  /// Stub.
  public static let all: [CatalogModel] = [
    CatalogModel(
      id: "llama-2-7b", hub: "meta-llama/Llama-2-7b-hf",
      config: [
        "model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008,
        "num_hidden_layers": 32, "num_attention_heads": 32, "vocab_size": 32000,
      ], parameters: 6_738_415_616, source: "stub"),
    CatalogModel(
      id: "mistral-7b", hub: "mistralai/Mistral-7B-v0.1", config: ["model_type": "mistral"],
      parameters: 7_241_732_096, source: "stub"),
  ]
  /// Stub.
  public static func named(_ id: String) -> CatalogModel? { all.first { $0.id == id } }
}
/// Stub.
public enum DeviceCatalog {
  /// Stub.
  public static let all: [Device] = [
    stub("h100-sxm", "NVIDIA H100 80GB HBM3", 79.11, 90, 132, 3350, 67, 989),
    stub("rtx-4090", "NVIDIA GeForce RTX 4090", 23.53, 89, 128, 1008, 82.6, 165.2),
  ]
  /// Stub.
  public static func named(_ id: String) -> Device? { all.first { $0.id == id } }
  private static func stub(
    _ id: String, _ name: String, _ gib: Double, _ cc: Int, _ sm: Int, _ gbps: Double,
    _ fp32: Double, _ bf16: Double
  ) -> Device {
    Device(
      id: id, name: name, memory: Bytes(Int(gib * 1_073_741_824)), memorySource: "stub",
      computeCapability: cc, multiprocessors: sm, bandwidth: gbps * 1e9,
      rates: .init(fp32: fp32 * 1e12, fp16: bf16 * 1e12, bf16: bf16 * 1e12), source: "stub")
  }
}
