// swift-tools-version: 6.0
import PackageDescription

let strict: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny")]

let package = Package(
  name: "plan",
  products: [
    .library(name: "Planner", targets: ["Planner"]),
    .executable(name: "plan", targets: ["plan"]),
  ],
  targets: [
    .target(name: "Planner", swiftSettings: strict),
    .executableTarget(name: "plan", dependencies: ["Planner"], swiftSettings: strict),
    .testTarget(
      name: "PlannerTests", dependencies: ["Planner"],
      exclude: ["Published/Fixtures", "Reference/Fixtures"],
      swiftSettings: strict),
    .testTarget(
      name: "planTests", dependencies: ["Planner", "plan"], exclude: ["Goldens"],
      swiftSettings: strict),
  ]
)
