/// How to reach a mail provider.
package struct SMTPOptions: Equatable, Sendable {
    package enum Security: String, CaseIterable, Sendable {
        /// In clear: for a server on the same machine.
        case none
        /// Starts in clear and must change to TLS before anything else is said.
        case startTLS = "starttls"
        /// TLS from the first byte.
        case implicit = "tls"
    }

    package var host: String
    package var port: Int
    package var security: Security
    /// Empty = no authentication.
    package var user: String
    package var password: String
    /// Connections open at once, each used for one message after the other.
    package var connections: Int
    /// What the client calls itself (EHLO); empty = the machine's name.
    package var clientName: String
    /// Certificates to trust, PEM; empty = the system's.
    package var authorityFile: String
    package var connectTimeoutMilliseconds: Int
    /// For a whole message. A message whose time runs out after its text was sent is uncertain, so it is generous.
    package var timeoutMilliseconds: Int

    package init(
        host: String, port: Int = 25, security: Security = .none, user: String = "", password: String = "", connections: Int = 4,
        clientName: String = "", authorityFile: String = "", connectTimeoutMilliseconds: Int = 10_000,
        timeoutMilliseconds: Int = 60_000
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.user = user
        self.password = password
        self.connections = connections
        self.clientName = clientName
        self.authorityFile = authorityFile
        self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
        self.timeoutMilliseconds = timeoutMilliseconds
    }
}

/// A message for one recipient.
package struct SMTPMessage: Equatable, Sendable {
    /// Envelope addresses, without angle brackets.
    package var from: String
    package var to: String
    /// Headers and body with CRLF line ends; dots are escaped on the way.
    package var content: [UInt8]

    package init(from: String, to: String, content: [UInt8]) {
        self.from = from
        self.to = to
        self.content = content
    }
}

/// What became of a message.
package enum SMTPResult: Equatable, Sendable {
    /// The server answered for it (2xx).
    case accepted(reply: String)
    /// The server refused it for good (5xx to sender, recipient, size or text); its words.
    case refused(reply: String)
    /// It certainly did not leave; another try may succeed.
    case failed(detail: String, Scope)
    /// Its text was begun and no final reply came: the server may or may not have taken it.
    case uncertain(detail: String)

    package enum Scope: Equatable, Sendable {
        /// This message was put off (4xx); others may pass.
        case message
        /// The provider cannot be used now: no connection, no TLS, no login.
        case provider
    }
}
