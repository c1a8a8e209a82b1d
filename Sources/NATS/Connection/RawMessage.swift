internal import CNATS

/// A message in the library's memory: valid only during the callback that got it.
@safe
struct RawMessage: ~Copyable {
    private let message: OpaquePointer

    init(_ message: OpaquePointer) { unsafe self.message = message }

    /// Bytes of the subject, without the terminating zero.
    var subject: UnsafeBufferPointer<UInt8> { unsafe Self.bytes(natsMsg_GetSubject(message)) }
    /// Bytes of the reply subject; empty when there is none.
    var reply: UnsafeBufferPointer<UInt8> { unsafe Self.bytes(natsMsg_GetReply(message)) }
    var payloadCount: Int { Int(unsafe natsMsg_GetDataLength(message)) }

    func copyPayload() -> [UInt8] {
        let count = payloadCount
        guard count > 0, let data = unsafe natsMsg_GetData(message) else { return [] }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: data, count: count))
    }

    func header(_ name: String) -> String? {
        var value: UnsafePointer<CChar>?
        guard unsafe natsMsgHeader_Get(message, name, &value) == NATS_OK, let value = unsafe value else { return nil }
        return unsafe String(cString: value)
    }

    func copy() -> NATSMessage {
        let status = header("Status").flatMap { Int($0) }
        let reply = unsafe self.reply
        return unsafe NATSMessage(
            subject: String(decoding: subject, as: UTF8.self),
            reply: reply.isEmpty ? nil : String(decoding: reply, as: UTF8.self),
            payload: copyPayload(), status: status, statusText: status == nil ? "" : header("Description") ?? "")
    }

    private static func bytes(_ text: UnsafePointer<CChar>?) -> UnsafeBufferPointer<UInt8> {
        guard let text = unsafe text else { return unsafe UnsafeBufferPointer(start: nil, count: 0) }
        var count = 0
        while unsafe text[count] != 0 { count += 1 }
        return unsafe UnsafeRawBufferPointer(start: text, count: count).assumingMemoryBound(to: UInt8.self)
    }
}
