/// A record that was put back out of a backup bears the time at which its stream took it first, in a header: a stream gives
/// what it takes the present time, and offers no other way.
enum RecordTime {
    /// Nanoseconds since 1970, decimal.
    static let header = "Reprise-Time"

    /// Of a message's headers as they stand on the wire; nil when there is no such line.
    static func nanoseconds(headers: String) -> Int64? {
        let name = header + ":"
        let line = headers.split(separator: "\r\n").first { $0.hasPrefix(name) }
        return line.flatMap { Int64($0.dropFirst(name.count).drop { $0 == " " }) }
    }
}
