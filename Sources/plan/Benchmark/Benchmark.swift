import Planner

/// Measures how many plans per second the library makes.
enum Benchmark {
  /// The result as text.
  static func run() throws(PlanError) -> String {
    throw PlanError(.unsupported, "there is no benchmark yet", fix: "Use \"time plan fit …\".")
  }
}
