internal import Glibc

/// A nats-server's version, as it introduces itself.
package struct ServerVersion: Comparable, Sendable, CustomStringConvertible {
    package let major: Int
    package let minor: Int
    package let patch: Int

    package init(_ major: Int, _ minor: Int, _ patch: Int) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Reads `2.12.1`, `v2.12.1`, `2.12.1-RC.3`, `2.12`; nil when it is none of these.
    package init?(text: String) {
        let body = text.hasPrefix("v") ? text.dropFirst() : text[...]
        let numbers = body.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard numbers.endIndex == body.endIndex || body[numbers.endIndex] == "-" || body[numbers.endIndex] == "+" else {
            return nil
        }
        let parts = numbers.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard (2...3).contains(parts.count), let major = parts[0], let minor = parts[1] else { return nil }
        guard parts.count == 2 || parts[2] != nil else { return nil }
        self.init(major, minor, parts.count == 3 ? parts[2] ?? 0 : 0)
    }

    package var description: String { "\(major).\(minor).\(patch)" }

    package static func < (left: ServerVersion, right: ServerVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }
}

extension NATSConnection {
    /// The version of each server that answers under the connection's addresses, by address. The library does not tell it:
    /// it stands in the line with which a server greets.
    package func serverVersions() async -> [String: ServerVersion] {
        await withCheckedContinuation { continuation in
            OwnThread.start("nats-versions") { [urls = options.urls] in
                var versions: [String: ServerVersion] = [:]
                for url in urls.flatMap({ $0.split(separator: ",").map(String.init) }) {
                    guard let greeting = ServerGreeting.read(from: url), let version = ServerGreeting.version(in: greeting)
                    else { continue }
                    versions[ServerGreeting.address(of: url).map { "\($0.host):\($0.port)" } ?? url] = version
                }
                continuation.resume(returning: versions)
            }
        }
    }
}

/// The line with which a server greets: `INFO {"server_id":…,"version":"2.12.1",…}`.
enum ServerGreeting {
    static func address(of url: String) -> (host: String, port: String)? {
        var rest = url[...]
        if let scheme = rest.firstRange(of: "://") { rest = rest[scheme.upperBound...] }
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        if let slash = rest.firstIndex(of: "/") { rest = rest[..<slash] }
        if rest.hasPrefix("[") {
            guard let close = rest.firstIndex(of: "]") else { return nil }
            let host = String(rest[rest.index(after: rest.startIndex)..<close])
            let after = rest[rest.index(after: close)...]
            return (host, after.hasPrefix(":") ? String(after.dropFirst()) : "4222")
        }
        guard let colon = rest.lastIndex(of: ":") else { return rest.isEmpty ? nil : (String(rest), "4222") }
        return (String(rest[..<colon]), String(rest[rest.index(after: colon)...]))
    }

    static func version(in greeting: String) -> ServerVersion? {
        guard let key = greeting.firstRange(of: "\"version\":\"") else { return nil }
        return ServerVersion(text: String(greeting[key.upperBound...].prefix { $0 != "\"" }))
    }

    /// Blocks for up to two seconds. Nil when nobody answers.
    static func read(from url: String) -> String? {
        guard let (host, port) = address(of: url) else { return nil }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, port, &hints, &found) == 0 else { return nil }
        defer { unsafe freeaddrinfo(found) }
        var candidate = unsafe found
        while let address = unsafe candidate {
            if let greeting = unsafe read(address.pointee) { return greeting }
            unsafe candidate = address.pointee.ai_next
        }
        return nil
    }

    private static func read(_ address: addrinfo) -> String? {
        let descriptor = unsafe socket(address.ai_family, address.ai_socktype, address.ai_protocol)
        guard descriptor >= 0 else { return nil }
        defer { Glibc.close(descriptor) }
        var patience = timeval(tv_sec: 2, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
        guard unsafe connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 else { return nil }
        var line: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while line.count < 64 << 10, !line.contains(0x0a) {
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            line += buffer.prefix(count)
        }
        return String(decoding: line, as: UTF8.self)
    }
}
