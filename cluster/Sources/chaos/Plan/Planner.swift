import SimulatedPorts

/// Draws a plan from a seed: the same seed, topology and settings give the same faults. Pure.
///
/// Kinds and roles come out of a shuffled bag that is filled again when empty, so that a long run has them all. At most one
/// fault hits nats-servers at a time, with time to come back between two; of the other hosts at most two are hit at once.
struct Planner {
    struct Settings: Sendable {
        /// Length of the time in which faults begin and end.
        var seconds: Double
        var kinds: Set<Fault.Kind>
        /// Before the first fault.
        var warmUpSeconds: Double = 6
        /// After a fault of a nats-server until the next: an election takes 5 to 9 s.
        var natsRestSeconds: Double = 12
        /// The restart of everything comes early, and in a short run too.
        var rollsFirst = false

        /// Whether a fault of 130 s fits.
        var isLong: Bool { seconds >= 150 }
    }

    private struct Choice {
        let kind: Fault.Kind
        let role: Role
    }

    private let topology: Topology
    private let settings: Settings
    private var dice: SplitMix
    private var bag: [Choice] = []
    private var faults: [Fault] = []

    static func plan(_ topology: Topology, seed: UInt64, _ settings: Settings) -> [Fault] {
        var planner = Planner(topology, seed: seed, settings)
        planner.drawFaults()
        if settings.kinds.contains(.churn) { planner.drawChurn() }
        return planner.faults.sorted { ($0.atSeconds, $0.kind.rawValue) < ($1.atSeconds, $1.kind.rawValue) }
    }

    private init(_ topology: Topology, seed: UInt64, _ settings: Settings) {
        self.topology = topology
        self.settings = settings
        dice = SplitMix(seed: seed)
    }

    // MARK: Faults

    private var choices: [Choice] {
        var all: [Choice] = []
        for role in [Role.nats, .worker, .coordinator, .gateway, .dispatcher] {
            for kind in [Fault.Kind.kill, .freeze, .partition] { all.append(Choice(kind: kind, role: role)) }
        }
        for role in [Role.nats, .worker, .dispatcher] { all.append(Choice(kind: .slow, role: role)) }
        for role in [Role.nats, .worker, .gateway] { all.append(Choice(kind: .restart, role: role)) }
        for role in [Role.worker, .coordinator, .dispatcher] where settings.isLong {
            all.append(Choice(kind: .longFreeze, role: role))
        }
        all.append(Choice(kind: .split, role: .worker))
        if topology.hosts(.nats).count > 1 {
            all.append(Choice(kind: .split, role: .nats))
            if settings.isLong { all.append(Choice(kind: .longFreeze, role: .nats)) }
        }
        all.append(Choice(kind: .diskFull, role: .nats))
        all.append(Choice(kind: .blackout, role: .nats))
        // Takes most of a minute: in a short run nothing else would happen.
        if settings.seconds >= 170 || settings.rollsFirst { all.append(Choice(kind: .rolling, role: .nats)) }
        return all.filter { settings.kinds.contains($0.kind) }
    }

    private mutating func drawFaults() {
        guard !choices.isEmpty else { return }
        var time = settings.warmUpSeconds
        bag = choices.shuffled(using: &dice)
        // The first to be drawn is the last of the bag.
        if settings.rollsFirst, let index = bag.firstIndex(where: { $0.kind == .rolling }) { bag.append(bag.remove(at: index)) }
        while time < settings.seconds - 5 {
            if let fault = draw(at: time) {
                faults.append(fault)
                if fault.kind == .rolling { time = fault.endSeconds }
            }
            time += between(2, 5)
        }
    }

    /// The first of the bag that can happen now; those before it keep their turn.
    private mutating func draw(at time: Double) -> Fault? {
        if bag.isEmpty { bag = choices.shuffled(using: &dice) }
        for index in bag.indices.reversed() {
            var fault = make(bag[index], at: time)
            // Everything is touched by it, so it waits for all others.
            if fault.kind == .rolling {
                fault.atSeconds = max(time, (faults.map(\.endSeconds).max() ?? 0) + settings.natsRestSeconds)
            }
            guard fault.endSeconds <= settings.seconds - 2, fits(fault) else { continue }
            bag.remove(at: index)
            return fault
        }
        return nil
    }

    private mutating func make(_ choice: Choice, at time: Double) -> Fault {
        var hosts = [pick(topology.hosts(choice.role))]
        switch choice.kind {
        case .split:
            let others = topology.hosts(.nats).filter { $0 != hosts[0] }
            hosts.append(pick(others))
        case .blackout: hosts = topology.hosts(.nats)
        case .rolling: hosts = []
        default: break
        }
        return Fault(kind: choice.kind, hosts: hosts, atSeconds: time, seconds: duration(choice.kind))
    }

    private mutating func duration(_ kind: Fault.Kind) -> Double {
        switch kind {
        case .kill: between(1, 6)
        case .restart: between(0, 2)
        case .freeze: between(8, 18)
        case .longFreeze: 130
        case .partition, .split: between(6, 16)
        case .slow: between(10, 20)
        case .diskFull: between(8, 14)
        case .blackout: between(2, 5)
        case .rolling: Double(topology.hosts.count) * 2.5 + Double(topology.hosts(.nats).count) * 8
        case .churn: between(10, 20)
        }
    }

    private func fits(_ fault: Fault) -> Bool {
        let isOfNATS = fault.hosts.contains { $0.role == .nats }
        var together = 0
        for other in faults where other.endSeconds + settings.natsRestSeconds > fault.atSeconds {
            let overlaps = other.endSeconds + 1 > fault.atSeconds && fault.endSeconds + 1 > other.atSeconds
            if fault.kind == .rolling || other.kind == .rolling, overlaps { return false }
            if isOfNATS && other.hosts.contains(where: { $0.role == .nats }) { return false }
            if overlaps && !Set(other.hosts).isDisjoint(with: fault.hosts) { return false }
            if overlaps { together += 1 }
        }
        return together < 3
    }

    // MARK: Workers that join and leave

    private mutating func drawChurn() {
        for guest in topology.guests {
            var time = settings.warmUpSeconds + between(0, 10)
            while time < settings.seconds - 8 {
                let stay = min(duration(.churn), settings.seconds - 2 - time)
                faults.append(Fault(kind: .churn, hosts: [guest], atSeconds: time, seconds: stay))
                time += stay + between(4, 12)
            }
        }
    }

    /// Tenths of a second.
    private mutating func between(_ low: Int, _ high: Int) -> Double {
        Double(Int.random(in: low * 10...high * 10, using: &dice)) / 10
    }

    private mutating func pick(_ hosts: [Topology.Host]) -> Topology.Host {
        hosts[Int.random(in: 0..<hosts.count, using: &dice)]
    }
}
