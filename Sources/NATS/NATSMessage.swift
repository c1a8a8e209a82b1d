/// A message as it came in, copied out of the library's memory.
package struct NATSMessage: Sendable {
    package let subject: String
    package let reply: String?
    package let payload: [UInt8]
    /// The status of an answer that carries one (404, 408, 503, …); nil for ordinary messages.
    package let status: Int?
    /// The text that goes with the status.
    package let statusText: String

    package init(subject: String, reply: String? = nil, payload: [UInt8], status: Int? = nil, statusText: String = "") {
        self.subject = subject
        self.reply = reply
        self.payload = payload
        self.status = status
        self.statusText = statusText
    }
}

/// A header line of a message to send.
package struct NATSHeader: Sendable, Equatable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    var wireBytes: Int { name.utf8.count + value.utf8.count + 4 }
}
