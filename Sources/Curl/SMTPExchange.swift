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
    private var reply = SMTPReplies()

    init(content: [UInt8]) { self.content = content }

    static let onRead: reprise_curl_transfer = { bytes, size, count, context in
        guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
        let exchange = unsafe Unmanaged<SMTPExchange>.fromOpaque(context).takeUnretainedValue()
        return unsafe exchange.read(into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
    }

    static let onReply: reprise_curl_transfer = { bytes, size, count, context in
        guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
        let exchange = unsafe Unmanaged<SMTPExchange>.fromOpaque(context).takeUnretainedValue()
        let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
        exchange.reply.take(line: unsafe String(decoding: line, as: UTF8.self))
        return size * count
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        isTextBegun = true
        let length = min(buffer.count, content.count - position)
        if length > 0 { unsafe buffer.copyBytes(from: content[position..<position + length]) }
        position += length
        return length
    }

    /// What became of the message when the transfer ended with `code`; `replyCode`: the server's last reply as libcurl
    /// keeps it, which the one to its parting QUIT does not change.
    func result(_ code: CURLcode, replyCode: Int) -> SMTPResult {
        let words = reply.text(of: replyCode)
        if code == CURLE_OK { return .accepted(reply: words) }
        let detail = words.isEmpty ? TransferError.text(code) : "\(TransferError.text(code)); the server's last words: \(words)"
        if isTextBegun {
            // Without a reply to the text the last one is the 354 that asked for it.
            return switch replyCode {
            case 200..<300: .accepted(reply: words)
            case 421: .failed(detail: words, .provider)
            case 400..<500: .failed(detail: words, .message)
            case 500..<600: .refused(reply: words)
            default: .uncertain(detail: detail)
            }
        }
        // Only a reply to sender, recipient or "DATA" is about this message: libcurl reports those as a send error. A
        // greeting, a TLS or login refused is about the provider, and so are the replies that ask for a login.
        guard code == CURLE_SEND_ERROR else { return .failed(detail: detail, .provider) }
        return switch replyCode {
        case 421, 530, 534, 535, 538: .failed(detail: detail, .provider)
        case 400..<500: .failed(detail: words, .message)
        case 500..<600: .refused(reply: words)
        default: .failed(detail: detail, .provider)
        }
    }
}

/// The server's last replies, each of one or more lines.
struct SMTPReplies {
    private var complete: [(code: Int, text: String)] = []
    private var open = ""

    private static let textBytesMax = 1024
    /// The one that matters, and that to QUIT.
    private static let kept = 3

    mutating func take(line: String) {
        let line = String(line.prefix { $0 != "\r" && $0 != "\n" && $0 != "\r\n" })
        if open.utf8.count + line.utf8.count < Self.textBytesMax { open += open.isEmpty ? line : " " + line }
        let isLast = line.utf8.count == 3 || line.utf8.dropFirst(3).first == UInt8(ascii: " ")
        guard isLast, let code = Int(line.prefix(3)) else { return }
        complete.append((code, open))
        if complete.count > Self.kept { complete.removeFirst() }
        open = ""
    }

    /// The words of the last reply with this code; empty when there is none.
    func text(of code: Int) -> String { complete.last { $0.code == code }?.text ?? "" }
}
