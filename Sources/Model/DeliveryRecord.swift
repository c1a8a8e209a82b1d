/// One record of DELIVERY: whether messages may leave from now on. The last one counts; without any they may.
///
///     released --hold--> held --release--> released
///
/// While delivery is held nothing else is: events are applied, timers fire, actions are decided and wait.
package struct DeliveryRecord: Codable, Equatable, Sendable {
    package static let currentVersion = 1

    package var version: Int
    package var isHeld: Bool
    /// By the clock of whoever wrote it.
    package var sinceMilliseconds: Int64
    /// For people: why it is held, or who released it.
    package var reason: String
    /// Held because the installation came out of a backup: what was decided before may have been sent by the installation
    /// that was backed up, so that whoever releases it must say what becomes of that.
    package var isRestored: Bool
    /// An action that was due before this instant is not sent any more: it is closed as uncertain. Nil = all are sent.
    package var uncertainDueBeforeMilliseconds: Int64?

    /// Looks at the version before anything else, which may have another form in another version.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        version = try fields.decode(Int.self, forKey: .version)
        guard version == Self.currentVersion else {
            throw UnknownVersion(of: "a record of DELIVERY", found: version, known: Self.currentVersion)
        }
        isHeld = try fields.decode(Bool.self, forKey: .isHeld)
        sinceMilliseconds = try fields.decode(Int64.self, forKey: .sinceMilliseconds)
        reason = try fields.decode(String.self, forKey: .reason)
        isRestored = try fields.decode(Bool.self, forKey: .isRestored)
        uncertainDueBeforeMilliseconds = try fields.decodeIfPresent(Int64.self, forKey: .uncertainDueBeforeMilliseconds)
    }

    private init(isHeld: Bool, since: Instant, reason: String, isRestored: Bool, uncertainDueBefore: Int64?) {
        version = Self.currentVersion
        self.isHeld = isHeld
        sinceMilliseconds = since.milliseconds
        self.reason = reason
        self.isRestored = isRestored
        uncertainDueBeforeMilliseconds = uncertainDueBefore
    }

    /// Of a restored installation, its first.
    package static func restored(now: Instant, reason: String) -> DeliveryRecord {
        DeliveryRecord(isHeld: true, since: now, reason: reason, isRestored: true, uncertainDueBefore: nil)
    }

    /// - Parameter last: the record that counts now.
    package static func held(after last: DeliveryRecord?, now: Instant, reason: String) -> DeliveryRecord {
        DeliveryRecord(
            isHeld: true, since: now, reason: reason, isRestored: last.map { $0.isHeld && $0.isRestored } ?? false,
            uncertainDueBefore: last?.uncertainDueBeforeMilliseconds)
    }

    /// What was uncertain stays so: an instant that was given before holds on unless a later one is given.
    package static func released(
        after last: DeliveryRecord?, now: Instant, reason: String, uncertainDueBefore: Instant?
    ) -> DeliveryRecord {
        let instants = [last?.uncertainDueBeforeMilliseconds, uncertainDueBefore?.milliseconds].compactMap { $0 }
        return DeliveryRecord(
            isHeld: false, since: now, reason: reason, isRestored: false, uncertainDueBefore: instants.max())
    }
}
