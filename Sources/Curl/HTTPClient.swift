internal import CCurl

/// A request. Header names and values must not hold line ends.
package struct HTTPRequest: Equatable, Sendable {
    package var method: String
    package var url: String
    /// In the order given; `Content-Type` is the caller's to name.
    package var headers: [(name: String, value: String)]
    /// Nil = none.
    package var body: [UInt8]?
    /// From connecting to the answer's last byte.
    package var timeoutMilliseconds: Int
    package var responseBytesMax: Int

    package init(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        timeoutMilliseconds: Int = 30_000, responseBytesMax: Int = 16 << 20
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeoutMilliseconds = timeoutMilliseconds
        self.responseBytesMax = responseBytesMax
    }

    package static func == (left: HTTPRequest, right: HTTPRequest) -> Bool {
        left.method == right.method && left.url == right.url && left.body == right.body
            && left.headers.elementsEqual(right.headers, by: ==)
            && left.timeoutMilliseconds == right.timeoutMilliseconds && left.responseBytesMax == right.responseBytesMax
    }
}

package struct HTTPResponse: Equatable, Sendable {
    package var status: Int
    /// Names in lower case; of a repeated one the last value.
    package var headers: [String: String]
    package var body: [UInt8]

    package init(status: Int, headers: [String: String], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The body as text; invalid UTF-8 is repaired.
    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// HTTP/1.1 and 2 through libcurl, connections kept open and reused. Follows no redirect, uses no proxy. Safe to call
/// from any task; as many requests run at once as there are connections, the others wait their turn.
package final class HTTPClient: Sendable {
    private let threads: TransferThreads

    package init(connections: Int = 4) {
        threads = TransferThreads(count: connections, name: "http")
    }

    package func send(_ request: HTTPRequest) async throws(TransferError) -> HTTPResponse {
        let result = await threads.run { handle in
            Result { () throws(TransferError) -> HTTPResponse in try Self.perform(request, on: handle) }
        }
        return try result.get()
    }

    private static func perform(_ request: HTTPRequest, on handle: EasyHandle) throws(TransferError) -> HTTPResponse {
        let lines = request.headers.map { "\($0.name): \($0.value)" }
        guard (lines + [request.method, request.url]).allSatisfy({ !$0.utf8.contains { $0 < 32 || $0 == 127 } }) else {
            throw TransferError(.options, "method, URL and headers must not hold control characters")
        }
        handle.reset()
        let exchange = HTTPExchange(bytesMax: request.responseBytesMax)
        try handle.set(CURLOPT_NOSIGNAL, 1)
        try handle.set(CURLOPT_PROTOCOLS_STR, "http,https")
        try handle.set(CURLOPT_PROXY, "")
        try handle.set(CURLOPT_URL, request.url)
        try handle.set(CURLOPT_TIMEOUT_MS, request.timeoutMilliseconds)
        // An empty Expect: libcurl would wait a second for "100 Continue" before it sends a large body.
        try handle.set(CURLOPT_HTTPHEADER, list: lines + ["Expect:"])
        unsafe try handle.set(CURLOPT_WRITEFUNCTION, HTTPExchange.onBody, CURLOPT_WRITEDATA, exchange)
        unsafe try handle.set(CURLOPT_HEADERFUNCTION, HTTPExchange.onHeader, CURLOPT_HEADERDATA, exchange)
        let body = request.body ?? []
        if request.body != nil {
            try handle.set(CURLOPT_POST, 1)
            try handle.set(CURLOPT_POSTFIELDSIZE_LARGE, size: body.count)
        }
        if request.method == "HEAD" { try handle.set(CURLOPT_NOBODY, 1) }
        try handle.set(CURLOPT_CUSTOMREQUEST, request.method)
        let performed = unsafe body.withUnsafeBytes { bytes -> Result<CURLcode, TransferError> in
            Result { () throws(TransferError) -> CURLcode in
                // libcurl takes no null for an empty body: it would ask the read callback for one.
                if request.body != nil {
                    try handle.set(CURLOPT_POSTFIELDS, "")
                    if !body.isEmpty { unsafe try handle.set(CURLOPT_POSTFIELDS, bytes: bytes) }
                }
                return handle.performed()
            }
        }
        let code = try performed.get()
        return try withExtendedLifetime(exchange) { () throws(TransferError) -> HTTPResponse in
            guard code == CURLE_OK else { throw exchange.error(code) }
            return HTTPResponse(status: handle.number(CURLINFO_RESPONSE_CODE), headers: exchange.headers, body: exchange.body)
        }
    }
}

/// What libcurl's callbacks gather during one request. Touched only by the thread that performs it.
private final class HTTPExchange {
    private(set) var headers: [String: String] = [:]
    private(set) var body: [UInt8] = []
    private var isTooLarge = false
    private let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    static let onBody: reprise_curl_transfer = { bytes, size, count, context in
        guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
        let exchange = unsafe Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
        let piece = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
        guard exchange.body.count + piece.count <= exchange.bytesMax else {
            exchange.isTooLarge = true
            return 0
        }
        unsafe exchange.body.append(contentsOf: piece)
        return size * count
    }

    static let onHeader: reprise_curl_transfer = { bytes, size, count, context in
        guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
        let exchange = unsafe Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
        exchange.take(line: unsafe String(decoding: UnsafeRawBufferPointer(start: bytes, count: size * count), as: UTF8.self))
        return size * count
    }

    private func take(line: String) {
        // A status line begins a new set: an interim answer's headers are not the answer's.
        if line.hasPrefix("HTTP/") { return headers.removeAll() }
        guard let colon = line.firstIndex(of: ":") else { return }
        var value = line[line.index(after: colon)...]
        while let first = value.first, first.isWhitespace { value.removeFirst() }
        while let last = value.last, last.isWhitespace { value.removeLast() }
        headers[line[..<colon].lowercased()] = String(value)
    }

    func error(_ code: CURLcode) -> TransferError {
        if isTooLarge { return TransferError(.tooLarge, "the answer is larger than \(bytesMax) bytes") }
        let kind: TransferError.Code =
            switch code {
            case CURLE_OPERATION_TIMEDOUT: .timeout
            case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_NOT_BUILT_IN: .options
            default: .connection
            }
        return TransferError(kind, TransferError.text(code))
    }
}
