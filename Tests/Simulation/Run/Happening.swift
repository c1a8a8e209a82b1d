internal import Model

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
        }
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
}
