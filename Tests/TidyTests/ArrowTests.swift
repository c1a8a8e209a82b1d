import Testing

/// DESIGN's arrows: which target may know which.
@Suite struct ArrowTests {
    /// Every target of ours and what of ours it may import. A target without a row is refused: give it one.
    private static let arrows: [String: Set<String>] = [
        "Model": ["CXXHash"],
        "Engine": ["CPrefetch", "CTrap", "Model"],
        "Placement": ["Model"],
        "Templates": ["Model"],
        "ConfigurationFiles": ["Model", "Templates"],
        "PurchaseFiles": ["Model"],
        "Ports": ["Model"],
        "SimulatedPorts": ["Ports", "Model"],
        "NATS": ["CNATS"],
        "JetStreamPorts": ["Ports", "NATS", "Model"],
        "Curl": ["CCurl"],
        "Worker": ["CTrap", "Engine", "Ports", "Model"],
        "Coordinator": ["Placement", "Ports", "Model"],
        "History": ["Ports", "Model"],
        "Backup": ["Ports", "Model"],
        "Delivery": ["Templates", "Curl", "Ports", "Model"],
        "Gateway": ["CSimdjson", "CZlib", "Ports", "Model"],
        "reprise": [
            "Worker", "Coordinator", "History", "Delivery", "Gateway", "Backup", "ConfigurationFiles", "PurchaseFiles",
            "Templates",
            "JetStreamPorts", "NATS", "Curl", "Ports", "Model",
        ],
        "Workload": ["Model"],
        "loadtest": ["Workload", "Engine", "Gateway", "JetStreamPorts", "NATS", "Curl", "Ports", "Model"],
        "micro": ["Workload", "Engine", "Model"],
        "chaos": ["Engine", "JetStreamPorts", "NATS", "Curl", "Ports", "SimulatedPorts", "Model"],
    ]

    /// Of what is not ours: who alone may import it.
    private static let owners: [String: Set<String>] = [
        "CNATS": ["NATS"],
        "CCurl": ["Curl"],
        "CXXHash": ["Model"],
        "CSimdjson": ["Gateway"],
        "CZlib": ["Gateway"],
        "GRDB": ["Coordinator", "History"],
        "Hummingbird": ["Gateway"], "HummingbirdCore": ["Gateway"],
        "Yams": ["ConfigurationFiles"],
        "ArgumentParser": ["reprise", "loadtest", "chaos"],
    ]

    /// Whose answers must be the same on every machine: nothing that reads clocks, files or locales.
    private static let pure: Set = ["Model", "Engine", "Placement", "Ports", "Templates", "Workload"]
    private static let impure: Set = ["Foundation", "FoundationEssentials", "Glibc", "Dispatch", "Logging"]

    /// Files that may import such a module all the same, and why.
    private static let exceptions: [String: String] = [
        "Sources/Engine/Actors/ThreadExecutor.swift": "Glibc: an executor is a thread; it decides nothing"
    ]

    private let sources: [SourceFile]

    init() throws {
        sources = try SourceFile.all().filter { !$0.isTest }
    }

    @Test func `targets import only those that the design's arrows point to`() {
        let ours = Set(Self.arrows.keys).union(["CNATS", "CCurl", "CXXHash", "CSimdjson", "CZlib", "CTrap", "CPrefetch"])
        for file in sources {
            guard let allowed = Self.arrows[file.target] else {
                Issue.record("\(file.path): target \(file.target) has no row in this test's table")
                continue
            }
            for (module, line) in file.imports where ours.contains(module) && !allowed.contains(module) {
                Issue.record("\(file.path):\(line): \(file.target) must not import \(module)")
            }
        }
    }

    @Test func `libraries are imported by their owners alone`() {
        for file in sources {
            for (module, line) in file.imports {
                if let owners = Self.owners[module], !owners.contains(file.target) {
                    Issue.record("\(file.path):\(line): only \(owners.sorted().joined(separator: " and ")) may import \(module)")
                }
            }
        }
    }

    @Test func `I4 the pure targets import neither Foundation nor the system`() {
        for path in Self.exceptions.keys where !sources.contains(where: { $0.path == path }) {
            Issue.record("\(path) is an exception and is not there any more")
        }
        for file in sources where Self.pure.contains(file.target) && Self.exceptions[file.path] == nil {
            for (module, line) in file.imports where Self.impure.contains(module) {
                Issue.record("\(file.path):\(line): \(file.target) is pure and must not import \(module)")
            }
        }
    }

    @Test func `no role imports another, whatever the table says`() {
        let roles: Set = ["Worker", "Coordinator", "History", "Delivery", "Gateway"]
        for role in roles.sorted() {
            #expect(Self.arrows[role]?.isDisjoint(with: roles) == true, "\(role)")
        }
    }

    @Test func `the arrows point one way`() {
        func reaches(_ from: String, _ to: String) -> Bool {
            (Self.arrows[from] ?? []).contains { $0 == to || reaches($0, to) }
        }
        for target in Self.arrows.keys.sorted() { #expect(!reaches(target, target), "\(target) reaches itself") }
    }
}
