internal import Model
internal import Placement
internal import Ports

/// Who leads: one candidate's view, and what it does about it. Pure: it is told the time and the answers.
///
/// The lease is COORD itself: whoever appends a record with the next epoch, expecting the sequence it read last, leads;
/// the log takes only one (I2). Heartbeats say only when to try. A refusal is no proof of a successor: the last record
/// is read, and only a higher epoch is. An answer that did not come is read back.
struct Election: Sendable {
    /// The newest record of COORD that is known; sequence 0 = the log is empty.
    struct Known: Equatable, Sendable {
        var sequence: UInt64
        var record: CoordinatorRecord?

        static let nothing = Known(sequence: 0, record: nil)
        var epoch: UInt64 { record?.epoch ?? 0 }
    }

    enum Role: Equatable, Sendable {
        /// Reads COORD; at the start to learn who leads, later to claim.
        case looking(isStart: Bool)
        case following(lastHeard: Instant)
        case claiming
        case leading(epoch: UInt64)
    }

    enum Action: Equatable, Sendable {
        /// Read COORD's last record and answer with ``Election/lastRead(_:now:)``.
        case readLast
        /// Append to COORD and answer with ``Election/appended(_:now:)``.
        case append(CoordinatorRecord, expecting: UInt64)
        case publish(CoordinatorHeartbeat)
        /// From now on this candidate leads.
        case lead(epoch: UInt64)
        /// No longer; the text says why.
        case stepDown(String)
        /// The log contradicts what it acknowledged.
        case alarm(String)
    }

    /// A record on its way into COORD.
    private struct Proposal: Sendable {
        enum Phase: Sendable { case appending, readingBack, retryAppend, retryReading }

        var record: CoordinatorRecord
        var expecting: UInt64
        var phase: Phase
    }

    let me: String
    private let name: String
    private let shards: Int
    private(set) var role: Role = .looking(isStart: true)
    private(set) var known = Known.nothing
    private var proposal: Proposal?
    private var isReading = false
    private var lastTick: Instant

    /// - Parameters:
    ///   - name: of the coordinator; `instance` tells its runs apart.
    init(name: String, instance: String, shards: Int, now: Instant) {
        self.name = name
        me = name + "#" + instance
        self.shards = shards
        lastTick = now
    }

    var leadingEpoch: UInt64? {
        if case .leading(let epoch) = role { epoch } else { nil }
    }

    var placement: PlacementRecord { known.record?.placement ?? .empty(shards: shards) }

    /// A record of this candidate's is being decided.
    var isProposing: Bool { proposal != nil }

    /// To be called every ``Limits/heartbeatMilliseconds``.
    mutating func tick(now: Instant) -> [Action] {
        let pause = now - lastTick
        lastTick = now
        var actions: [Action] = []
        switch role {
        case .looking:
            if !isReading { actions.append(read()) }
        case .following(let lastHeard):
            // After a pause of its own it is this candidate that heard nothing.
            if pause < 0 || pause >= Limits.heartbeatTimeoutMilliseconds {
                role = .following(lastHeard: now)
            } else if now - lastHeard >= Limits.heartbeatTimeoutMilliseconds {
                role = .looking(isStart: false)
                actions.append(read())
            }
        case .claiming: break
        case .leading(let epoch): actions.append(.publish(CoordinatorHeartbeat(coordinator: me, epoch: epoch)))
        }
        return actions + retry()
    }

    mutating func heard(_ heartbeat: CoordinatorHeartbeat, now: Instant) -> [Action] {
        guard heartbeat.coordinator != me else { return [] }
        switch role {
        case .leading(let epoch):
            guard heartbeat.epoch > epoch else { return [] }
            return follow(now: now, because: "\(heartbeat.coordinator) leads with epoch \(heartbeat.epoch)")
        case .following, .looking:
            if heartbeat.epoch >= known.epoch { role = .following(lastHeard: now) }
            return []
        case .claiming: return []
        }
    }

    /// The leader wants another placement. Nothing happens while a record is being decided: ask again later.
    mutating func propose(_ placement: PlacementRecord) -> [Action] {
        guard let epoch = leadingEpoch, proposal == nil else { return [] }
        return [propose(CoordinatorRecord(epoch: epoch, coordinator: me, placement: placement))]
    }

    mutating func lastRead(_ result: Result<Known, LogError>, now: Instant) -> [Action] {
        isReading = false
        if proposal?.phase == .readingBack { return readBack(result, now: now) }
        guard case .success(let last) = result else { return [] }
        let isUnchanged = last.sequence == known.sequence
        known = last
        guard case .looking(let isStart) = role else { return [] }
        // Its own run before this one led, or nobody ever did: nobody to wait for.
        let isVacant = last.record.map { $0.coordinator.hasPrefix(name + "#") } ?? true
        if isStart ? isVacant : isUnchanged {
            role = .claiming
            return [propose(CoordinatorRecord(epoch: last.epoch + 1, coordinator: me, placement: placement))]
        }
        role = .following(lastHeard: now)
        return []
    }

    mutating func appended(_ result: Result<UInt64, LogError>, now: Instant) -> [Action] {
        guard proposal?.phase == .appending else { return [] }
        switch result {
        case .success(let sequence): return succeed(at: sequence)
        case .failure(let error):
            switch error.code {
            case .refused, .ambiguous:
                proposal?.phase = .readingBack
                return [read()]
            case .full, .tooLarge, .unavailable, .trimmed, .gap:
                proposal?.phase = .retryAppend
                return []
            }
        }
    }
}

// MARK: Proposals
extension Election {
    private mutating func read() -> Action {
        isReading = true
        return .readLast
    }

    private mutating func propose(_ record: CoordinatorRecord) -> Action {
        proposal = Proposal(record: record, expecting: known.sequence, phase: .appending)
        return .append(record, expecting: known.sequence)
    }

    private mutating func retry() -> [Action] {
        guard let open = proposal else { return [] }
        switch open.phase {
        case .appending, .readingBack: return []
        case .retryAppend:
            proposal?.phase = .appending
            return [.append(open.record, expecting: open.expecting)]
        case .retryReading:
            proposal?.phase = .readingBack
            return [read()]
        }
    }

    private mutating func succeed(at sequence: UInt64) -> [Action] {
        guard let done = proposal else { return [] }
        proposal = nil
        known = Known(sequence: sequence, record: done.record)
        guard role == .claiming else { return [] }
        let epoch = done.record.epoch
        role = .leading(epoch: epoch)
        return [.lead(epoch: epoch), .publish(CoordinatorHeartbeat(coordinator: me, epoch: epoch))]
    }

    private mutating func readBack(_ result: Result<Known, LogError>, now: Instant) -> [Action] {
        guard let open = proposal else { return [] }
        guard case .success(let last) = result else {
            proposal?.phase = .retryReading
            return []
        }
        if last.sequence > open.expecting, last.record == open.record { return succeed(at: last.sequence) }
        if last.sequence == open.expecting {
            proposal?.phase = .retryAppend
            return []
        }
        // Somebody else wrote there.
        known = last
        let who = "\(last.record?.coordinator ?? "nobody") wrote record \(last.sequence) with epoch \(last.epoch)"
        guard last.sequence > open.expecting, leadingEpoch == nil || last.epoch > open.record.epoch else {
            return follow(now: now, because: who) + [.alarm("COORD should end with \(open.expecting) of \(me): \(who)")]
        }
        return follow(now: now, because: who)
    }

    private mutating func follow(now: Instant, because reason: String) -> [Action] {
        let led = leadingEpoch != nil
        proposal = nil
        role = .following(lastHeard: now)
        return led ? [.stepDown(reason)] : []
    }
}
