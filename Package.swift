// swift-tools-version: 6.3
import PackageDescription

/// Strict from the first day: what the compiler can find, it reports as an error.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

func room(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

/// The tests of upgrades build a second binary, whose brain has the next version and decides differently.
let brain: [SwiftSetting] = Context.environment["REPRISE_BRAIN"] == "next" ? [.define("REPRISE_NEXT_BRAIN")] : []

/// The engine's state is reached through classes by one thread at a time; debug builds, and so all tests, check at run time
/// that no two accesses to it overlap. In release that check costs an eighth of an event.
let hotLoop: [SwiftSetting] = [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let collections: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")

let package = Package(
    name: "reprise",
    products: [.executable(name: "reprise", targets: ["reprise"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // What the operating system brings.
        .systemLibrary(name: "CNATS", pkgConfig: "libnats", providers: [.apt(["libnats-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CXXHash"),
        .target(name: "CTrap"),
        .target(name: "CPrefetch"),
        .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),

        // What everybody speaks, and the pure cores.
        room("Model", ["CXXHash"]),
        .target(name: "Engine", dependencies: ["CPrefetch", "CTrap", "Model"], swiftSettings: strict + brain + hotLoop),
        room("Placement", ["Model"]),
        room("ConfigurationFiles", ["Model", "Templates", "Yams"]),
        room("Templates", ["Model"]),
        room("PurchaseFiles", ["Model"]),

        // The outside, and what stands for it.
        room("Ports", ["Model"]),
        room("SimulatedPorts", ["Ports"]),
        room("NATS", ["CNATS", logging]),
        room("JetStreamPorts", ["Ports", "NATS", "Model", logging]),
        room("Curl", ["CCurl"]),

        // The roles; none imports another.
        room("Worker", ["CTrap", "Engine", "Ports", "Model", logging, collections]),
        room("Coordinator", ["Placement", "Ports", "Model", logging, .product(name: "GRDB", package: "GRDB.swift")]),
        room("History", ["Ports", "Model", logging, .product(name: "GRDB", package: "GRDB.swift")]),
        room("Backup", ["Ports", "Model", logging]),
        room("Delivery", [
            "Templates", "Curl", "Ports", "Model", logging, collections, .product(name: "HeapModule", package: "swift-collections"),
        ]),
        room("Gateway", ["CSimdjson", "CZlib", "Ports", "Model", logging, .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "HummingbirdCore", package: "hummingbird")],
             resources: [.embedInCode("Page")]),
        .executableTarget(
            name: "reprise",
            dependencies: [
                "Worker", "Coordinator", "History", "Delivery", "Gateway", "Backup", "ConfigurationFiles", "JetStreamPorts", "NATS",
                "Curl", "PurchaseFiles", "Ports", "Model", logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // The reference workload, and the program that drives it through a real cluster.
        .target(name: "Workload", dependencies: ["Model"], path: "loadtest/Sources/Workload", swiftSettings: strict),
        .executableTarget(
            name: "loadtest",
            dependencies: [
                "Workload", "Engine", "Gateway", "JetStreamPorts", "NATS", "Curl", "Ports", "Model", logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "loadtest/Sources/loadtest", swiftSettings: strict),
        .executableTarget(
            name: "micro", dependencies: ["Workload", "Engine", "Model"], path: "loadtest/Sources/micro", swiftSettings: strict),

        // Faults against a real cluster.
        .executableTarget(
            name: "chaos",
            dependencies: [
                "Checkers", "Engine", "JetStreamPorts", "NATS", "Curl", "Ports", "SimulatedPorts", "Model", "TestSupport", logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "cluster/Sources/chaos", swiftSettings: strict),

        // Tests: pure and fast, seeded simulation, and against real servers.
        .target(name: "TestSupport", dependencies: ["Ports", "Model", "NATS", "JetStreamPorts", logging], path: "Tests/TestSupport", swiftSettings: strict),
        .target(name: "PortsConformance", dependencies: ["Ports", "Model"], path: "Tests/PortsConformance", swiftSettings: strict),
        .target(name: "Checkers", dependencies: ["Engine", "Model"], path: "Tests/Checkers", swiftSettings: strict),
        .target(
            name: "Simulation", dependencies: ["Checkers", "Worker", "Coordinator", "SimulatedPorts", "Ports", "Model", logging],
            path: "Tests/Simulation", swiftSettings: strict),
        .executableTarget(
            name: "simulate",
            dependencies: ["Simulation", "Model", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/simulate", swiftSettings: strict),
        tests("SimulationTests", ["Simulation", "Checkers", "simulate", "TestSupport", "Model"]),
        tests("TidyTests", []),
        tests("ModelTests", ["Model"]),
        tests("EngineTests", ["Engine", "Workload", "Checkers", "Model"]),
        tests("WorkloadTests", ["Workload", "Model"]),
        tests("LoadTestTests", ["loadtest", "Workload", "SimulatedPorts", "Ports", "Model"]),
        tests("PlacementTests", ["Placement", "Model"]),
        tests("ConfigurationFilesTests", ["ConfigurationFiles", "Model"]),
        tests("PurchaseFilesTests", ["PurchaseFiles", "Model"]),
        tests("TemplatesTests", ["Templates", "Model"]),
        tests("SimulatedPortsTests", ["SimulatedPorts", "PortsConformance"]),
        tests("NATSTests", ["NATS", "SimulatedPorts"]),
        tests("JetStreamClusterTests", ["JetStreamPorts", "NATS", "Ports", "Model", "PortsConformance", "TestSupport", logging]),
        tests("WorkerSimulationTests", ["Worker", "History", "Engine", "Workload", "SimulatedPorts", "TestSupport", "Ports", "Model", logging]),
        tests("CoordinatorTests", ["Coordinator", "SimulatedPorts", "Placement", "Model"]),
        tests("HistoryTests", [
            "History", .product(name: "GRDB", package: "GRDB.swift"), "SimulatedPorts", "TestSupport", "Ports", "Model", logging]),
        tests("DeliveryTests", ["Delivery", "SimulatedPorts", "Ports", "Curl", "Model", "TestSupport", logging]),
        tests("BackupTests", ["Backup", "SimulatedPorts", "Ports", "Model", logging]),
        tests("GatewayTests", ["Gateway", "SimulatedPorts", "Curl", "Model", "TestSupport"]),
        tests("ChaosTests", ["chaos", "Checkers", "Model"]),
        tests("CommandClusterTests", ["Checkers", "Curl", "Engine", "JetStreamPorts", "NATS", "Ports", "TestSupport", "Model"]),
    ],
    cxxLanguageStandard: .cxx17
)
