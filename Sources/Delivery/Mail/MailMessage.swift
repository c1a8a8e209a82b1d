internal import Model

/// A message ready to be written: MIME, UTF-8, quoted-printable; of text alone, or of text and HTML as alternatives.
struct MailMessage: Equatable, Sendable {
    var from: MailAddress
    var to: MailAddress
    var subject: String
    var text: String
    /// Empty = none.
    var html: String
    var date: Instant
    /// Names it for ever: the same action has the same Message-ID, whoever sends it.
    var action: ActionID
    /// The right side of Message-ID; empty = the sender's domain.
    var idDomain: String

    var messageID: String { "<\(action)@\(idDomain.isEmpty ? from.domain : idDomain)>" }

    /// Headers, blank line and body, all lines ended by CRLF.
    func encoded() -> [UInt8] {
        var headers = [
            ("Date", MailDate.text(date)),
            ("From", from.headerValue),
            ("To", to.headerValue),
            ("Message-ID", messageID),
            ("Subject", EncodedWord.value(subject)),
            ("X-Reprise-Action", action.description),
            ("MIME-Version", "1.0"),
        ]
        let plain = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Transfer-Encoding", "quoted-printable")]
        guard !html.isEmpty else {
            return Self.block(headers + plain) + QuotedPrintable.encode(text)
        }
        // "=_" cannot occur in quoted-printable text.
        let boundary = "=_\(action)"
        headers.append(("Content-Type", "multipart/alternative;\r\n boundary=\"\(boundary)\""))
        let rich = [("Content-Type", "text/html; charset=utf-8"), ("Content-Transfer-Encoding", "quoted-printable")]
        // The line end before a separator is the separator's, not the text's.
        let separator = Array("\r\n--\(boundary)\r\n".utf8)
        return Self.block(headers) + separator.dropFirst(2) + Self.block(plain) + QuotedPrintable.encode(text)
            + separator + Self.block(rich) + QuotedPrintable.encode(html) + Array("\r\n--\(boundary)--\r\n".utf8)
    }

    private static func block(_ headers: [(String, String)]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (name, value) in headers { bytes += Array("\(name): \(value)\r\n".utf8) }
        return bytes + [13, 10]
    }
}
