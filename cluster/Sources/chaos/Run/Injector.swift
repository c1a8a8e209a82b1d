import Foundation

/// Performs a plan: each fault at its time, and its healing. When it returns everything runs again.
///
/// A host that is told to end may take its time, longer than the plan knows: what hits it next waits for that.
struct Injector: Sendable {
    let cluster: Cluster
    let faults: [Fault]
    let board: Board

    private var began: ContinuousClock.Instant { board.began }

    func run() async throws {
        var last: [Topology.Host: Task<Void, any Error>] = [:]
        var tasks: [Task<Void, any Error>] = []
        for fault in faults {
            let hosts = fault.kind == .rolling ? cluster.topology.hosts : fault.hosts
            let before = hosts.compactMap { last[$0] }
            let task = Task {
                for one in before { try await one.value }
                try await perform(fault)
            }
            for host in hosts { last[host] = task }
            tasks.append(task)
        }
        let all = tasks
        defer { for task in all { task.cancel() } }
        try await withTaskCancellationHandler {
            for task in all { try await task.value }
        } onCancel: {
            for task in all { task.cancel() }
        }
    }

    private func perform(_ fault: Fault) async throws {
        try await Task.sleep(until: began + .seconds(fault.atSeconds), clock: .continuous)
        board.say("\(fault.kind.rawValue) \(fault.hosts.map(\.description).joined(separator: ", "))")
        do {
            try await inject(fault)
        } catch let error as ChaosError {
            throw ChaosError("\(fault.text): \(error)")
        }
        if fault.kind != .rolling {
            board.say("  healed: \(fault.kind.rawValue) \(fault.hosts.map(\.description).joined(separator: ", "))")
        }
    }

    private func pause(_ fault: Fault) async throws { try await Task.sleep(for: .seconds(fault.seconds)) }

    private func inject(_ fault: Fault) async throws {
        switch fault.kind {
        case .kill, .blackout:
            for host in fault.hosts { try await cluster.machine(host).kill() }
            try await pause(fault)
            for host in fault.hosts { try await cluster.machine(host).start() }
        case .freeze, .longFreeze:
            let machine = try cluster.machine(fault.hosts[0])
            try await machine.freeze()
            try await pause(fault)
            try await machine.thaw()
        case .restart:
            try await end(fault.hosts[0])
            try await pause(fault)
            try await cluster.machine(fault.hosts[0]).start()
        case .partition:
            try await cluster.network.isolate(fault.hosts[0])
            try await pause(fault)
            try await cluster.network.rejoin(fault.hosts[0])
        case .split:
            try await cluster.network.split(fault.hosts[0], fault.hosts[1])
            try await pause(fault)
            try await cluster.network.mend(fault.hosts[0], fault.hosts[1])
        case .slow:
            try await cluster.network.slow(fault.hosts[0])
            try await pause(fault)
            try await cluster.network.unslow(fault.hosts[0])
        case .diskFull: try await fillDisk(fault)
        case .rolling: try await roll()
        case .churn:
            try await cluster.machine(fault.hosts[0]).start()
            try await pause(fault)
            try await end(fault.hosts[0])
        }
    }

    private func end(_ host: Topology.Host) async throws {
        let machine = try cluster.machine(host)
        if try await !machine.end() { board.fault("\(host) did not stop within 30 s of SIGTERM") }
    }

    /// Fills it with a file until nothing fits. A server that lost its disk keeps JetStream off until it is started again,
    /// which is what its operator does.
    private func fillDisk(_ fault: Fault) async throws {
        let ballast = cluster.store(fault.hosts[0]).appendingPathComponent("ballast").path
        let filled = try await Command.attempt(["dd", "if=/dev/zero", "of=\(ballast)", "bs=64k"])
        guard filled.output.contains("No space left") else { throw ChaosError("the disk did not fill up: \(filled.output)") }
        try await pause(fault)
        try FileManager.default.removeItem(atPath: ballast)
        try await end(fault.hosts[0])
        try await cluster.machine(fault.hosts[0]).start()
    }

    /// One after another; the next only when the one before is well again. With another version of the program each comes
    /// back as that; the second time as the first version again, and so on.
    private func roll() async throws {
        for role in [Role.nats, .coordinator, .worker, .gateway, .dispatcher] {
            for host in cluster.topology.hosts(role) {
                try await end(host)
                if role != .nats, let next = cluster.paths.nextReprise {
                    let first = cluster.paths.reprise
                    try await cluster.machine(host).change { $0.path = $0.path == next ? first : next }
                }
                try await cluster.machine(host).start()
                if role == .nats { try await cluster.awaitNATS(host, within: .seconds(60)) }
                try await Task.sleep(for: .seconds(1))
            }
        }
    }
}
