package import Model

/// When an event happened.
package enum EventTimes {
    /// In event-time mode the `timestamp` (or `originalTimestamp`) as given, and it must be given. In live mode that time,
    /// moved by how far the sender's clock was off (`receivedAt` − `sentAt`), or the time of arrival when none is given.
    static func time(
        _ item: JSONValue, envelope: EventMapping.Envelope, mode: Installation.TimeMode
    ) throws(FieldError) -> Instant {
        let given = FieldReading.first(item, ["timestamp", "originalTimestamp"])
        let stamp = try given.map { value, name throws(FieldError) in try instant(value, at: name) }
        let field = given?.name ?? "timestamp"
        switch mode {
        case .eventTime:
            guard let stamp else { throw FieldError(.missing, "timestamp", "is needed: this installation runs in event time") }
            return stamp
        case .live:
            guard let stamp else { return envelope.receivedAt }
            let own = try FieldReading.member(item, "sentAt").map { value throws(FieldError) in try instant(value, at: "sentAt") }
            let time = (own ?? envelope.sentAt).map { stamp + (envelope.receivedAt - $0) } ?? stamp
            let ahead = time - envelope.receivedAt
            guard ahead <= Limits.clockAheadMilliseconds else {
                throw FieldError(
                    .time, field, "lies more than \(Limits.clockAheadMilliseconds / Milliseconds.day) day ahead of its arrival")
            }
            guard -ahead <= Limits.clockBehindMilliseconds else {
                throw FieldError(
                    .time, field,
                    "lies more than \(Limits.clockBehindMilliseconds / Milliseconds.day) days back; history is imported, not sent"
                )
            }
            return time
        }
    }

    /// A time of any accepted form, within the years that are allowed everywhere.
    package static func instant(_ value: JSONValue, at path: String) throws(FieldError) -> Instant {
        let text = value.string.map(FieldReading.trimmed)
        let parsed =
            text.map { TimeParser.iso8601($0) ?? TimeParser.epoch($0) } ?? value.number.map { TimeParser.epoch($0) } ?? nil
        guard let time = parsed else {
            throw FieldError(
                .invalid, path, "must be a time of ISO 8601 like 2026-11-22T14:25:17.123Z, or seconds or milliseconds since 1970")
        }
        guard time >= Limits.timeMin, time < Limits.timeMax else {
            throw FieldError(.time, path, "must lie within 1980 to 2099")
        }
        return time
    }
}
