/// Messages that may be lost: heartbeats, and questions that are answered by reading only. Nothing here decides anything.
/// Safe to call from any thread.
package protocol Messaging: Sendable {
    /// Asks whoever serves the subject. Subjects are words of `[a-z0-9_-]` joined by dots.
    func request(_ subject: String, _ payload: [UInt8], timeout: Duration) async throws(RequestError) -> [UInt8]

    /// Answers every request on the subject until the registration is closed. Handlers run concurrently. Of several
    /// that serve one subject each gets every request, and the first answer counts.
    func serve(
        _ subject: String, _ handler: @escaping @Sendable ([UInt8]) async -> [UInt8]
    ) async throws(RequestError) -> any Registration

    /// Sends to whoever listens now; nobody may.
    func publish(_ subject: String, _ payload: [UInt8])

    /// Calls the handler with each message on the subject (`*` matches one word), in order, on a thread of the
    /// implementation; it must return at once.
    func listen(
        _ subject: String, _ handler: @escaping @Sendable (_ subject: String, _ payload: [UInt8]) -> Void
    ) async throws(RequestError) -> any Registration
}

package protocol Registration: Sendable {
    /// Ends it; may be called more than once.
    func close()
}

package struct RequestError: Error, Equatable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// Nobody serves the subject now.
        case nobody
        case timeout
        case unavailable
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code): \(message)" }
}
