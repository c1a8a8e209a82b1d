package import Model

/// A rule set that is the newest of an installation.
package struct AppliedRules: Equatable, Sendable {
    /// With its revision, and its segments numbered for good.
    package var rules: RuleSet
    /// False: what was applied before is the same, and stays.
    package var isNew: Bool

    package init(rules: RuleSet, isNew: Bool) {
        self.rules = rules
        self.isNew = isNew
    }
}

/// Why a rule set was not applied; CONFIG is as it was, but for an ambiguous error of the log.
package enum ApplyingFault: Error, Equatable, CustomStringConvertible {
    /// Somebody else applied another one meanwhile; it is not overwritten unseen.
    case overtaken
    /// What is applied now cannot be read, and with it the numbers of its segments.
    case unreadable(revision: UInt64, FormatError)
    /// Every number of a segment has been given once.
    case numbersUsedUp
    case log(LogError)

    package var description: String {
        switch self {
        case .overtaken: "another rule set was applied at this moment"
        case .unreadable(let revision, let error): "revision \(revision), which is applied now, cannot be read: \(error)"
        case .numbersUsedUp:
            "\(Segment.unnumbered) segments have been named since the installation was made, and there are no numbers for more; "
                + "use the names of segments that are applied now"
        case .log(let error): error.message
        }
    }
}

extension LogStore {
    /// Makes a rule set the newest of CONFIG. Its segments keep the numbers that they have there; it is written behind that
    /// very revision or not at all, so no number is ever given twice.
    package func apply(_ set: RuleSet) async throws(ApplyingFault) -> AppliedRules {
        var set = set
        let last: LogRecord?
        do { last = try await self.last(of: .configuration) } catch { throw .log(error) }
        guard set.numberSegments(after: try last.map(Self.rules)) else { throw .numbersUsedUp }
        let payload = set.encoded()
        if let last, last.payload == payload {
            set.revision = last.sequence
            return AppliedRules(rules: set, isNew: false)
        }
        set.revision = (last?.sequence ?? 0) + 1
        do {
            _ = try await append(to: .configuration, payload, expecting: set.revision - 1)
        } catch {
            guard error.code == .refused || error.code == .ambiguous else { throw .log(error) }
            try await readBack(payload, at: set.revision, after: error)
        }
        return AppliedRules(rules: set, isNew: true)
    }

    /// Returns when the payload stands there after all: an answer may have been lost, and the append repeated.
    private func readBack(_ payload: [UInt8], at revision: UInt64, after error: LogError) async throws(ApplyingFault) {
        let found: LogRecord?
        do { found = try await record(revision, of: .configuration) } catch { throw .log(error) }
        if found?.payload == payload { return }
        throw found != nil || error.code == .refused ? .overtaken : .log(error)
    }

    private static func rules(_ record: LogRecord) throws(ApplyingFault) -> RuleSet {
        do {
            return try RuleSet.decoded(record.payload, revision: record.sequence)
        } catch {
            throw .unreadable(revision: record.sequence, error)
        }
    }
}
