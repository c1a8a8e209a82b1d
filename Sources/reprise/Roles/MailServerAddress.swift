import Curl

/// `smtp://host:port`; `smtp+starttls://…` must change to TLS, `smtps://…` is TLS from the first byte.
struct MailServerAddress {
    let options: SMTPOptions

    init?(_ text: String) {
        let schemes: [(prefix: String, security: SMTPOptions.Security, port: Int)] = [
            ("smtp://", .none, 25), ("smtp+starttls://", .startTLS, 587), ("smtps://", .implicit, 465),
        ]
        guard let scheme = schemes.first(where: { text.hasPrefix($0.prefix) }) else { return nil }
        let rest = text.dropFirst(scheme.prefix.count)
        let colon = rest.lastIndex(of: ":")
        let host = rest[..<(colon ?? rest.endIndex)]
        let port = colon.map { Int(rest[rest.index(after: $0)...]) } ?? scheme.port
        guard let port, (1...65_535).contains(port), !host.isEmpty, host.utf8.allSatisfy(Self.isOfHost) else { return nil }
        options = SMTPOptions(host: String(host), port: port, security: scheme.security)
    }

    private static func isOfHost(_ byte: UInt8) -> Bool {
        (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2d
            || byte == 0x2e
    }
}
