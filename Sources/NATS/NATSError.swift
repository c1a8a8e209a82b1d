/// What went wrong between us and the server. The code says whether the request can have had an effect.
package struct NATSError: Error, Equatable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// There is no connection now. Nothing was sent.
        case notConnected
        /// The queue of what is to be sent is full. Nothing was sent.
        case queueFull
        /// The message is larger than the server takes. Nothing was sent.
        case tooLarge
        /// The connection was closed by us. Nothing was sent.
        case closed
        /// Sent, and nobody listens on the subject.
        case noResponders
        /// Sent, and no answer came in time: what became of it is not known.
        case timeout
        /// The connection was lost after sending: what became of it is not known.
        case disconnected
        /// JetStream answered with an error: HTTP-like code and JetStream's own code.
        case api(status: Int, code: Int)
        /// An answer that cannot be read, or an argument that the library refuses.
        case invalid
    }

    package let code: Code
    /// For people: about which subject, and what the other side said.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code): \(message)" }

    /// JetStream's own code of the error, where it answered with one.
    package var apiCode: Int? {
        if case .api(_, let code) = code { code } else { nil }
    }
}
