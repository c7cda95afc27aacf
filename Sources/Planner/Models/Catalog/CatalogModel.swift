/// A published model with its sizes.
public struct CatalogModel: Sendable {
  /// What a scenario calls it: `llama-2-7b`.
  public let id: String
  /// Its name on the Hugging Face hub; its id where it was not released.
  public let hub: String
  /// The keys of its `config.json` that decide a size, `model_type` first.
  ///
  /// They are in the words of `transformers`. `rms_norm_eps` and `rope_theta` change no size and are
  /// there for readers.
  public let config: JSONValue
  /// All parameters, tied ones once.
  ///
  /// Each was counted from ``config`` by a formula and by the modules that `transformers` 5.17 makes
  /// of it on the meta device; both gave this number.
  public let parameters: Int
  /// Where the sizes were read.
  public let source: String

  /// Describes a model.
  public init(id: String, hub: String, config: JSONValue, parameters: Int, source: String) {
    self.id = id
    self.hub = hub
    self.config = config
    self.parameters = parameters
    self.source = source
  }
}
