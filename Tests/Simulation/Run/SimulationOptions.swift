package import Model
internal import SimulatedPorts

/// All that a run is made from; drawn from the seed alone, so that the seed repeats it.
package struct SimulationOptions: Sendable {
    package let seed: UInt64
    package var timeMode: Installation.TimeMode
    package var shards: Int
    package var workers: Int
    package var coordinators: Int
    package var dispatchers: Int
    package var customers: Int
    /// Days of the shop's plan; a day takes a second in live mode.
    package var days: Int64
    /// How long the shop writes and faults happen, milliseconds of the simulated world.
    package var busyMilliseconds: Int64
    package var threadsPerWorker: Int
    package var snapshotEveryBytes: Int
    package var sumsSnapshotEveryBytes: Int
    /// A coordinator that crashed comes back on another machine, without its database.
    package var losesDatabases: Bool
    /// Jobs that are ready run in an order drawn by the seed; otherwise as they came.
    package var isShuffled: Bool
    package var rates: FaultRates
    package var incidents: [Incident]
    /// Workers that follow each shard without owning it.
    package var standbys: Int
    /// Customers who have identifiers, and so are told of in messages between shards.
    package var persons: Int
    /// Events that end whoever applies them.
    package var poisons: Int
    /// A LOG loses its newest commits, and nothing else befalls the roles: somebody must say so.
    package var losesSuffix: Bool
    /// How long a mail provider takes at most, milliseconds.
    package var providerMillisecondsMax: Int64
    package var sabotage: Sabotage?

    package init(seed: UInt64, sabotage: Sabotage? = nil) {
        self.seed = seed
        self.sabotage = sabotage
        var random = SplitMix(seed: seed ^ 0x5eed)
        func draw(_ range: ClosedRange<Int64>) -> Int64 {
            range.lowerBound + Int64(random.next() % UInt64(range.upperBound - range.lowerBound + 1))
        }
        timeMode = draw(0...1) == 0 ? .live : .eventTime
        shards = [2, 2, 4, 4, 8][Int(draw(0...4))]
        workers = Int(draw(2...4))
        coordinators = Int(draw(1...2))
        dispatchers = Int(draw(1...2))
        customers = Int(draw(6...30))
        days = draw(20...35)
        busyMilliseconds = timeMode == .live ? days * Milliseconds.second : draw(20...35) * Milliseconds.second
        threadsPerWorker = Int(draw(1...2))
        snapshotEveryBytes = Int(draw(1...16)) << 9
        isShuffled = draw(0...3) != 0
        rates = FaultRates()
        if draw(0...5) != 0 {
            rates.lostAppends = Int(draw(0...30))
            rates.lostAcknowledgements = Int(draw(0...30))
            rates.lateAcknowledgements = Int(draw(0...60))
            rates.lateAppends = Int(draw(0...15))
            rates.duplicatedAppends = Int(draw(0...20))
            rates.unavailable = Int(draw(0...20))
            rates.lostMessages = Int(draw(0...50))
        }
        incidents = []
        for _ in 0..<draw(0...8) { incidents.append(Incident(draw: draw, shards: shards, busyMilliseconds: busyMilliseconds)) }
        incidents.sort { $0.at < $1.at }
        sumsSnapshotEveryBytes = Int(draw(1...8)) << 8
        losesDatabases = draw(0...1) == 0
        standbys = [0, 0, 1, 1, 2][Int(draw(0...4))]
        persons = draw(0...2) == 0 ? Int(draw(2...8)) : 0
        poisons = draw(0...5) == 0 ? Int(draw(1...2)) : 0
        losesSuffix = draw(0...11) == 0
        providerMillisecondsMax = [100, 100, 400, 3000][Int(draw(0...3))]
        if draw(0...3) == 0 { (snapshotEveryBytes, sumsSnapshotEveryBytes) = (256, 128) }
        switch sabotage {
        case .lossUnsaid: losesSuffix = true
        case .messagesLost: (losesSuffix, persons) = (false, max(persons, 4))
        case .lettersDoubled: (losesSuffix, poisons) = (false, max(poisons, 1))
        case .sentAgain:
            (losesSuffix, providerMillisecondsMax) = (false, 3000)
            for turn in 1...10 {
                let at = Int64(turn) * busyMilliseconds / 12
                let kind = Incident.Kind.crash(.dispatcher, turn, afterJobs: Int(draw(1...30)), backMilliseconds: 200)
                incidents.append(Incident(at: at, kind: kind))
            }
        default: losesSuffix = losesSuffix && sabotage == nil
        }
        if losesSuffix {
            (persons, poisons) = (0, 0)
            let shard = ShardID(index: Int(draw(0...Int64(shards - 1))))
            let at = draw(busyMilliseconds / 3...busyMilliseconds * 2 / 3)
            incidents = [Incident(at: at, kind: .loseSuffix(shard, commits: UInt64(draw(1...4))))]
        }
    }

    package var description: String {
        [
            "seed \(seed): \(timeMode == .live ? "live" : "event time"), \(shards) shards",
            "\(workers) workers of \(threadsPerWorker) threads", "\(coordinators) coordinators", "\(dispatchers) dispatchers",
            "\(customers) customers", "\(days) days in \(busyMilliseconds / 1000) s", "snapshots every \(snapshotEveryBytes) B",
            "of the sums every \(sumsSnapshotEveryBytes) B", "databases \(losesDatabases ? "lost" : "kept")",
            "jobs \(isShuffled ? "shuffled" : "as they come")", "faults: \(rates.description)",
            "\(standbys) standbys", "\(persons) persons", "\(poisons) poisons",
            "\(losesSuffix ? "a LOG loses its end" : "no loss")",
            "mail takes up to \(providerMillisecondsMax) ms",
            "incidents: \(incidents.map(\.description).joined(separator: "; "))", "sabotage: \(sabotage?.rawValue ?? "none")",
        ].joined(separator: ", ")
    }
}

extension FaultRates {
    /// In thousandths, those that are not 0.
    package var description: String {
        let all = [
            ("lost appends", lostAppends), ("lost acks", lostAcknowledgements), ("late acks", lateAcknowledgements),
            ("late appends", lateAppends), ("doubled", duplicatedAppends), ("unavailable", unavailable),
            ("lost messages", lostMessages),
        ]
        let some = all.filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }
        return some.isEmpty ? "none" : some.joined(separator: ", ") + " per mille"
    }
}
