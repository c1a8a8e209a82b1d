internal import CCurl

/// Sends messages over SMTP through libcurl, connections kept open and reused. Safe to call from any task; as many
/// messages are under way at once as there are connections, the others wait their turn. A send cannot be cancelled:
/// once its text has begun, only the server's reply says what became of it.
package final class SMTPTransport: Sendable {
    private let options: SMTPOptions
    private let threads: TransferThreads

    package init(_ options: SMTPOptions) {
        self.options = options
        threads = TransferThreads(count: options.connections, name: "smtp")
    }

    package func send(_ message: SMTPMessage) async -> SMTPResult {
        await threads.run { [options] handle in Self.send(message, options, handle) }
    }

    /// A kept connection may have been closed by the server meanwhile. As long as the text was not begun nothing can
    /// have left, so the message is tried at once on a fresh one.
    private static func send(_ message: SMTPMessage, _ options: SMTPOptions, _ handle: EasyHandle) -> SMTPResult {
        let first = attempt(message, options, handle, fresh: false)
        guard case .failed(_, .provider) = first.result, first.reused else { return first.result }
        return attempt(message, options, handle, fresh: true).result
    }

    private static func attempt(
        _ message: SMTPMessage, _ options: SMTPOptions, _ handle: EasyHandle, fresh: Bool
    ) -> (result: SMTPResult, reused: Bool) {
        guard isSafe(message.from), isSafe(message.to) else {
            return (.refused(reply: "not an envelope address: control characters, blanks or angle brackets"), false)
        }
        handle.reset()
        let exchange = SMTPExchange(content: message.content)
        do {
            try configure(handle, message, options, exchange)
            if fresh { try handle.set(CURLOPT_FRESH_CONNECT, 1) }
        } catch {
            return (.failed(detail: error.message, .provider), false)
        }
        let code = withExtendedLifetime(exchange) { handle.performed() }
        let result = exchange.result(code, replyCode: handle.number(CURLINFO_RESPONSE_CODE))
        return (result, handle.number(CURLINFO_NUM_CONNECTS) == 0)
    }

    /// libcurl puts the addresses into its commands as they are: a line end would be a command of its own.
    private static func isSafe(_ address: String) -> Bool {
        !address.isEmpty && address.utf8.allSatisfy { $0 > 32 && $0 != 127 && !"<>".utf8.contains($0) }
    }

    private static func configure(
        _ handle: EasyHandle, _ message: SMTPMessage, _ options: SMTPOptions, _ exchange: SMTPExchange
    ) throws(TransferError) {
        let scheme = options.security == .implicit ? "smtps" : "smtp"
        let host = options.host.contains(":") ? "[\(options.host)]" : options.host
        try handle.set(CURLOPT_NOSIGNAL, 1)
        try handle.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        try handle.set(CURLOPT_PROXY, "")
        try handle.set(CURLOPT_URL, "\(scheme)://\(host):\(options.port)/\(options.clientName)")
        if options.security == .startTLS { try handle.set(CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue)) }
        if !options.authorityFile.isEmpty { try handle.set(CURLOPT_CAINFO, options.authorityFile) }
        if !options.user.isEmpty {
            try handle.set(CURLOPT_USERNAME, options.user)
            try handle.set(CURLOPT_PASSWORD, options.password)
        }
        try handle.set(CURLOPT_CONNECTTIMEOUT_MS, options.connectTimeoutMilliseconds)
        try handle.set(CURLOPT_TIMEOUT_MS, options.timeoutMilliseconds)
        try handle.set(CURLOPT_MAIL_FROM, "<\(message.from)>")
        try handle.set(CURLOPT_MAIL_RCPT, list: ["<\(message.to)>"])
        try handle.set(CURLOPT_UPLOAD, 1)
        try handle.set(CURLOPT_INFILESIZE_LARGE, size: message.content.count)
        unsafe try handle.set(CURLOPT_READFUNCTION, SMTPExchange.onRead, CURLOPT_READDATA, exchange)
        unsafe try handle.set(CURLOPT_HEADERFUNCTION, SMTPExchange.onReply, CURLOPT_HEADERDATA, exchange)
        unsafe try handle.set(CURLOPT_WRITEFUNCTION, SMTPExchange.onReply, CURLOPT_WRITEDATA, exchange)
    }
}
