internal import Synchronization

/// Finds the reader for what arrives on the connection's reader inbox: messages name the consumer in their reply subject,
/// statuses name it, and the request, in their subject.
final class ReaderTable: Sendable {
    private struct Entry {
        weak var reader: StreamReader?
    }

    private let readers = Mutex<[UInt64: Entry]>([:])

    func add(_ consumer: UInt64, _ reader: StreamReader) { readers.withLock { $0[consumer] = Entry(reader: reader) } }
    func remove(_ consumer: UInt64) { readers.withLock { _ = $0.removeValue(forKey: consumer) } }

    /// On the library's delivery thread.
    func received(_ message: borrowing RawMessage) {
        if let delivery = unsafe DeliverySubject(message.reply) {
            guard let reader = readers.withLock({ $0[delivery.consumer]?.reader }) else { return }
            let told = message.header(RecordTime.header).flatMap { Int64($0) }
            reader.received(told.map { delivery.at($0) } ?? delivery, payload: message.copyPayload())
            return
        }
        let subject = unsafe message.subject
        guard let request = unsafe Decimal.trailing(subject),
            let dot = unsafe subject.lastIndex(of: 0x2e),
            let consumer = unsafe Decimal.trailing(UnsafeBufferPointer(rebasing: subject[..<dot])),
            let status = message.header("Status").flatMap({ Int($0) }),
            let reader = readers.withLock({ $0[consumer]?.reader })
        else { return }
        reader.received(status: status, message.header("Description") ?? "", consumer: consumer, request: request)
    }
}
