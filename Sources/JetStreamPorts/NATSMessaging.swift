internal import Logging
internal import NATS
package import Ports
internal import Synchronization

/// Questions and heartbeats over core NATS. Safe to use from any thread.
package final class NATSMessaging: Messaging {
    private let connection: NATSConnection
    private let names: StreamNames

    init(_ connection: NATSConnection, names: StreamNames) {
        self.connection = connection
        self.names = names
    }

    package func request(_ subject: String, _ payload: [UInt8], timeout: Duration) async throws(RequestError) -> [UInt8] {
        do throws(NATSError) {
            return try await connection.request(names.messaging(subject), payload, timeout: timeout).payload
        } catch {
            throw RequestError(error)
        }
    }

    package func serve(
        _ subject: String, _ handler: @escaping @Sendable ([UInt8]) async -> [UInt8]
    ) async throws(RequestError) -> any Registration {
        try await register(subject) { [connection] message in
            guard let reply = message.reply else { return }
            Task {
                let answer = await handler(message.payload)
                do throws(NATSError) {
                    try connection.publish(reply, answer)
                } catch {
                    connection.log.debug(
                        "answering a request failed", metadata: ["subject": "\(message.subject)", "error": "\(error)"])
                }
            }
        }
    }

    package func publish(_ subject: String, _ payload: [UInt8]) {
        do throws(NATSError) {
            try connection.publish(names.messaging(subject), payload)
        } catch {
            connection.log.debug("publishing failed", metadata: ["subject": "\(subject)", "error": "\(error)"])
        }
    }

    package func listen(
        _ subject: String, _ handler: @escaping @Sendable (_ subject: String, _ payload: [UInt8]) -> Void
    ) async throws(RequestError) -> any Registration {
        let prefixCount = names.messaging("").utf8.count
        return try await register(subject) { message in
            guard let subject = String(message.subject.utf8.dropFirst(prefixCount)) else { return }
            handler(subject, message.payload)
        }
    }

    /// Returns when the server knows of the subscription.
    private func register(
        _ subject: String, _ handler: @escaping @Sendable (NATSMessage) -> Void
    ) async throws(RequestError) -> any Registration {
        let registration = NATSRegistration(connection, connection.subscribe(names.messaging(subject), handler))
        do throws(NATSError) {
            try await connection.roundTrip(timeout: .seconds(5))
        } catch {
            registration.close()
            throw RequestError(error)
        }
        return registration
    }
}

final class NATSRegistration: Registration {
    private let connection: NATSConnection
    private let id: UInt64

    init(_ connection: NATSConnection, _ id: UInt64) {
        self.connection = connection
        self.id = id
    }

    func close() { connection.unsubscribe(id) }
}

extension RequestError {
    init(_ error: NATSError) {
        let code: Code =
            switch error.code {
            case .noResponders: .nobody
            case .timeout: .timeout
            default: .unavailable
            }
        self.init(code, error.message)
    }
}
