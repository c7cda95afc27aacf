/// How the loss on the next token is computed from the last hidden states.
public enum LossImplementation: Hashable, Sendable {
  /// As `transformers` does today: the labels are padded by one position, the logits cast to fp32.
  case transformers
  /// As `transformers` did up to 4.48: the fp32 logits are copied without the last position.
  case transformers448
  /// As torchtune does: the sequence in this many chunks, of which only one at a time is cast to fp32.
  case chunked(Int)
}
