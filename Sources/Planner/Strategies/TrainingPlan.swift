/// What the strategies decided, before the graph is made.
public struct TrainingPlan: Sendable {
}
