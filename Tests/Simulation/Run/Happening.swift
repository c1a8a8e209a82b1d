internal import Logging
internal import Model
internal import Ports
internal import SimulatedPorts
internal import Worker

// How incidents befall an installation.

extension Installed {
    func plan(_ incidents: [Incident], newRules: @escaping () -> Void) {
        for incident in incidents {
            scheduler.after(milliseconds: incident.at, for: nil) { [self] in happen(incident.kind, newRules) }
        }
    }

    private func happen(_ kind: Incident.Kind, _ newRules: () -> Void) {
        switch kind {
        case .crash(let role, let number, let jobs, let back):
            befall(role, number, "crash") { host in
                comeBack(host, after: back)
                host.crashAfterJobs = jobs
            }
        case .freeze(let role, let number, let length):
            befall(role, number, "freeze") { scheduler.freeze($0) }
            later(role, number, length) { [scheduler] in scheduler.thaw($0) }
        case .stop(let role, let number, let back):
            befall(role, number, "stop") { host in
                comeBack(host, after: back)
                stop(host)
            }
        case .cutOff(let role, let number, let length):
            befall(role, number, "cut off") { $0.isCutOff = true }
            later(role, number, length) { $0.isCutOff = false }
        case .slowReader(let role, let number, let delay, let length):
            befall(role, number, "slow reader") { $0.readDelayMilliseconds = delay }
            later(role, number, length) { $0.readDelayMilliseconds = 0 }
        case .clockJump(let role, let number, let by, let length):
            befall(role, number, by >= Milliseconds.day ? "clock a year ahead" : "clock jump") { $0.clockAheadMilliseconds += by }
            later(role, number, length) { $0.clockAheadMilliseconds = 0 }
        case .leaderGap(let log, let length): server.loseLeader(of: log, milliseconds: length)
        case .full(let log, let length):
            count("fault: full stream")
            server.setBound(log, bytesMax: server.bytes(of: log) + 100)
            scheduler.after(milliseconds: length, for: nil) { [server] in server.setBound(log, bytesMax: nil) }
        case .newRules: newRules()
        case .drain(let number, let length): drain(number, length)
        case .join(let number):
            count("fault: join of worker")
            start(.worker, options.workers + number, after: 0)
        case .leave(let number): leave(number)
        case .loseSuffix(let shard, let commits): loseSuffix(of: shard, commits)
        }
    }

    private func drain(_ number: Int, _ length: Int64) {
        guard let host = host(.worker, number) else { return }
        count("fault: drain of worker")
        asOperator { try await $0.drain(host.name, milliseconds: length) }
    }

    /// The first worker stays, so that there is somebody.
    private func leave(_ number: Int) {
        guard options.workers > 1, let host = host(.worker, 1 + number % (options.workers - 1)) else { return }
        count("fault: leave of worker")
        comeBack(host, after: nil)
        stop(host)
    }

    private func loseSuffix(of shard: ShardID, _ commits: UInt64) {
        let log = LogName.commits(shard)
        let last = server.lastSequence(of: log)
        guard last > commits + 1 else { return }
        count("fault: lost suffix")
        server.loseSuffix(of: log, after: last - commits)
        onLoss(shard)
    }

    private func befall(_ role: Incident.Role, _ number: Int, _ what: String, _ body: (Host) -> Void) {
        guard let host = host(role, number) else { return }
        count("fault: \(what) of \(role)")
        body(host)
    }

    /// Afterwards, if that same host is still there.
    private func later(_ role: Incident.Role, _ number: Int, _ milliseconds: Int64, _ body: @escaping (Host) -> Void) {
        guard let host = host(role, number) else { return }
        scheduler.after(milliseconds: milliseconds, for: nil) { if host.state != .dead { body(host) } }
    }

    // MARK: Events that end whoever applies them

    /// The worker ends as by a trap while it applied what stands at this place: nothing of its step leaves it. With its last
    /// word, in half of the cases.
    func trap(_ host: Host, _ shard: ShardID, _ place: Place, owner: String) {
        count("fault: event that ends its worker")
        let saysWord = seeds.next() % 2 == 0
        scheduler.crash(host)
        guard saysWord else { return }
        count("fault: last word")
        let word = scheduler.makeHost("\(host.name)'s last word")
        let logs = HostLogs(host: word, server: server)
        scheduler.run(as: word) {
            Task {
                await LastWords.write(Attempt(place: place, signal: 4), shard, as: owner, to: logs, log: logger(of: word))
            }
        }
        scheduler.after(milliseconds: Limits.lastWordMilliseconds, for: nil) { [scheduler] in scheduler.crash(word) }
    }
}
