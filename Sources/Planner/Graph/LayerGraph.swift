/// stub
public struct LayerGraph: Sendable {}
/// stub
public struct ForwardContext: Sendable {}
