internal import Foundation
internal import Model

/// Turns a time zone's name into a table, so that no machine's own data takes part in a decision.
enum ZoneCompiler {
    /// 1990-01-01 and 2060-01-01, UTC.
    static let first: Int64 = 631_152_000
    static let last: Int64 = 2_840_140_800

    /// Offsets change at most once within this.
    private static let stride: Int64 = 12 * 3600

    /// Nil when there is no such zone.
    static func table(named name: String) -> ZoneTable? {
        if name == "UTC" || name == "GMT" { return ZoneTable(name: name, initialOffsetSeconds: 0) }
        // Names that the list leaves out, older and newer spellings, have a slash; `GMT+3` and the like do not.
        guard names.contains(name) || name.contains("/"), let zone = TimeZone(identifier: name) else { return nil }
        // Foundation's next transition leaves out changes that are not of daylight saving: the offsets themselves are asked.
        func offset(_ seconds: Int64) -> Int32 { Int32(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))) }
        var table = ZoneTable(name: name, initialOffsetSeconds: offset(first))
        var known = table.initialOffsetSeconds
        var time = first
        while time < last {
            let next = min(time + stride, last)
            let after = offset(next)
            if after != known {
                var low = time
                var high = next
                while high - low > 1 {
                    let middle = low + (high - low) / 2
                    if offset(middle) == known { low = middle } else { high = middle }
                }
                table.transitions.append(ZoneTable.Transition(at: Instant(milliseconds: high * 1000), offsetSeconds: after))
                known = after
            }
            time = next
        }
        return table
    }

    static let names = Set(TimeZone.knownTimeZoneIdentifiers)
}
