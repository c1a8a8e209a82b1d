internal import CCurl

/// One message on its way: gives libcurl the text, listens to the server's replies, and says what became of it.
///
/// libcurl asks for the text only after the server's 354, and sends the end of the text itself after the last piece. So
/// as long as nothing was asked for, nothing can have left; from then on only a final reply decides. Touched only by
/// the thread that performs the transfer.
final class SMTPExchange {
    private let content: [UInt8]
    private var position = 0
    private(set) var isTextBegun = false
    private var reply = SMTPReply()

    init(content: [UInt8]) { self.content = content }

    static let onRead: reprise_curl_transfer = { bytes, size, count, context in
        guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
        let exchange = unsafe Unmanaged<SMTPExchange>.fromOpaque(context).takeUnretainedValue()
        return unsafe exchange.read(into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
    }

    static let onReply: reprise_curl_transfer = { bytes, size, count, context in
        guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
        let exchange = unsafe Unmanaged<SMTPExchange>.fromOpaque(context).takeUnretainedValue()
        exchange.reply.take(line: unsafe String(decoding: UnsafeRawBufferPointer(start: bytes, count: size * count), as: UTF8.self))
        return size * count
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        if !isTextBegun {
            isTextBegun = true
            // The 354 is no word on the text.
            reply = SMTPReply()
        }
        let length = min(buffer.count, content.count - position)
        if length > 0 { unsafe buffer.copyBytes(from: content[position..<position + length]) }
        position += length
        return length
    }

    /// What became of the message when the transfer ended with `code`.
    func result(_ code: CURLcode) -> SMTPResult {
        if code == CURLE_OK { return .accepted(reply: reply.text) }
        let detail = reply.text.isEmpty ? TransferError.text(code) : "\(TransferError.text(code)); the server's last words: \(reply.text)"
        if isTextBegun {
            return switch reply.code / 100 {
            case 2: .accepted(reply: reply.text)
            case 4: .failed(detail: reply.text, reply.code == 421 ? .provider : .message)
            case 5: .refused(reply: reply.text)
            default: .uncertain(detail: detail)
            }
        }
        // Only a reply to sender, recipient or "DATA" is about this message: libcurl reports those as a send error. A
        // greeting, a TLS or login refused is about the provider, and so are the replies that ask for a login.
        guard code == CURLE_SEND_ERROR else { return .failed(detail: detail, .provider) }
        return switch reply.code {
        case 421, 530, 534, 535, 538: .failed(detail: detail, .provider)
        case 400..<500: .failed(detail: reply.text, .message)
        case 500..<600: .refused(reply: reply.text)
        default: .failed(detail: detail, .provider)
        }
    }
}

/// The server's last reply, of one or more lines.
struct SMTPReply {
    /// 0 until its last line is in.
    private(set) var code = 0
    /// All its lines, joined by blanks; bounded.
    private(set) var text = ""
    private var isComplete = false

    static let textBytesMax = 1024

    mutating func take(line: String) {
        let line = String(line.prefix { $0 != "\r" && $0 != "\n" && $0 != "\r\n" })
        if isComplete { self = SMTPReply() }
        if text.utf8.count + line.utf8.count < Self.textBytesMax { text += text.isEmpty ? line : " " + line }
        guard line.utf8.count >= 3, let number = Int(line.prefix(3)) else { return }
        if line.utf8.count == 3 || line.utf8.dropFirst(3).first == UInt8(ascii: " ") {
            code = number
            isComplete = true
        }
    }
}
