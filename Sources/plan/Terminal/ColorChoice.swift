/// When text is coloured: the value of `--color`.
enum ColorChoice: String, CaseIterable {
  case auto, always, never

  /// Whether text that goes to `stream` is coloured.
  func isColored(_ stream: Invocation.Stream) -> Bool {
    switch self {
    case .always: true
    case .never: false
    case .auto: stream.isTerminal && !stream.refusesColor
    }
  }
}
