import Model

extension ZoneTable {
    /// Seconds east of UTC at an instant.
    func offsetSeconds(at instant: Instant) -> Int64 {
        // The last transition at or before the instant, by bisection.
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at <= instant { low = middle + 1 } else { high = middle }
        }
        return Int64(low == 0 ? initialOffsetSeconds : transitions[low - 1].offsetSeconds)
    }

    /// The next instant after this one at which the offset changes.
    func nextTransition(after instant: Instant) -> Instant? {
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at <= instant { low = middle + 1 } else { high = middle }
        }
        return low < transitions.count ? transitions[low].at : nil
    }
}

extension AllowedHours {
    private static let minutesPerDay: Int64 = 1440

    /// Whether a local time (milliseconds of the local clock, counted from 1970-01-01) is allowed.
    private func allows(local: Int64) -> Bool {
        let minutes = floorDivide(local, Milliseconds.minute)
        let day = floorDivide(minutes, Self.minutesPerDay)
        let minute = minutes - day * Self.minutesPerDay
        let from = Int64(fromMinute)
        let to = Int64(toMinute)
        if from == to { return allows(day: day) }
        if from < to { return minute >= from && minute < to && allows(day: day) }
        if minute >= from { return allows(day: day) }
        return minute < to && allows(day: day - 1)
    }

    /// 1970-01-01 was a Thursday; bit 0 is Monday.
    private func allows(day: Int64) -> Bool {
        let weekday = (day + 3) - floorDivide(day + 3, 7) * 7
        return weekdays & (1 << UInt8(weekday)) != 0
    }

    /// The first instant at or after `instant` that is allowed in the zone; nil when none is within two weeks.
    ///
    /// Walks from boundary to boundary: of the local day, of the span, and of the zone's offset, so that a skipped or
    /// repeated hour is neither lost nor taken twice.
    func nextAllowed(from instant: Instant, in zone: ZoneTable) -> Instant? {
        var candidate = instant
        let limit = instant + 14 * Milliseconds.day
        while candidate < limit {
            let offset = zone.offsetSeconds(at: candidate) * Milliseconds.second
            let local = candidate.milliseconds + offset
            if allows(local: local) { return candidate }
            let day = floorDivide(local, Milliseconds.day) * Milliseconds.day
            var next = day + Milliseconds.day
            for minute in [fromMinute, toMinute] {
                let boundary = day + Int64(minute) * Milliseconds.minute
                if boundary > local && boundary < next { next = boundary }
            }
            var after = Instant(milliseconds: next - offset)
            if let transition = zone.nextTransition(after: candidate), transition < after { after = transition }
            candidate = after
        }
        return nil
    }
}

/// Division that rounds towards minus infinity, for times before 1970 too.
func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
}
