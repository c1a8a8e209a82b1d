import Foundation
import Model
import Testing

@testable import Delivery

@Suite struct MailMessageTests {
    struct Parsed: Decodable {
        var headers: [String: String]
        var type: String
        var parts: [String: String]
        var defects: [String]
        var longestLine: Int
        var bareLineEnds: Int
    }

    static func message(
        from: String = "Shop <shop@example.org>", to: String = "anna@example.org", subject: String = "Hello",
        text: String = "Hi\n", html: String = ""
    ) throws -> MailMessage {
        MailMessage(
            from: try #require(MailAddress(from)), to: try #require(MailAddress(to)), subject: subject, text: text, html: html,
            date: Instant(milliseconds: 1_795_357_514_000), action: ActionID(0xabc), idDomain: "")
    }

    static func parsed(_ message: MailMessage) async throws -> Parsed {
        let script = PythonServer.repository.appending(path: "Tests/Scripts/parse_mail.py").path
        return try JSONDecoder().decode(
            Parsed.self, from: Data(try await PythonServer.run(["python3", script], input: message.encoded())))
    }

    @Test(
        "Python's email package reads what was written",
        arguments: [
            ("Hello", "Hi\n", ""),
            (
                "Привет, Анна! Пора заказать кофе ещё раз, а то он скоро кончится",
                "Здравствуйте!\n.\n..\nFrom me\n", "<p>Здравствуйте &amp; до свидания</p>\n"
            ),
            ("=?UTF-8?B?c3Bvb2Y=?=", "trailing blanks   \n\ttabs\t\n\n\n", "<b>=3D</b>\n"),
            (
                String(repeating: "long subject ", count: 40), String(repeating: "x", count: 1000) + "\n",
                "<i>" + String(repeating: "ü", count: 500) + "</i>\n"
            ),
            ("👩‍👩‍👧‍👦 family", "👩‍👩‍👧‍👦\n", ""),
            ("", "\n", ""),
        ])
    func oracle(_ subject: String, _ text: String, _ html: String) async throws {
        let message = try Self.message(from: "Кофе \"и\" чай <shop@example.org>", subject: subject, text: text, html: html)
        let parsed = try await Self.parsed(message)
        #expect(parsed.defects.isEmpty, "\(parsed.defects)")
        #expect(parsed.longestLine <= 78)
        #expect(parsed.bareLineEnds == 0)
        #expect(parsed.headers["Subject"] == subject.trimmed)
        #expect(parsed.headers["To"] == "anna@example.org")
        #expect(parsed.headers["From"]?.contains("shop@example.org") == true)
        #expect(parsed.headers["From"]?.contains("Кофе") == true)
        #expect(parsed.headers["Message-ID"] == "<00000000000000000000000000000abc@example.org>")
        #expect(parsed.headers["X-Reprise-Action"] == "00000000000000000000000000000abc")
        #expect(parsed.headers["Date"] == "Sun, 22 Nov 2026 14:25:14 +0000")
        #expect(parsed.type == (html.isEmpty ? "text/plain" : "multipart/alternative"))
        #expect(parsed.parts["text/plain"]?.replacing("\r\n", with: "\n") == text)
        if !html.isEmpty { #expect(parsed.parts["text/html"]?.replacing("\r\n", with: "\n") == html) }
    }

    @Test("what comes from data cannot begin a header")
    func injection() async throws {
        let parsed = try await Self.parsed(
            try Self.message(subject: "Hello\r\nBcc: eve@example.org\r\n\r\nbody", text: "Bcc: eve@example.org\n"))
        #expect(parsed.headers["Bcc"] == nil)
        #expect(parsed.headers["Subject"] == "Hello  Bcc: eve@example.org    body")
        for address in [
            "anna@example.org\r\nBcc: eve@example.org", "a@b@c", "a b@c.org", "<a@b.org", "a@b.org, eve@b.org", "@b.org", "a@",
            "a@-b.org",
            "a..b@c.org", "Anna\nBcc: x <a@b.org>", "a@b..org", "\"a b\"@c.org", "a@[127.0.0.1]", "a\u{2028}@b.org",
        ] {
            #expect(MailAddress(address) == nil, "\(address)")
        }
        #expect(MailAddress("\"Anna, K.\" <a.k+x@b-c.example.org>")?.headerValue == "\"Anna, K.\" <a.k+x@b-c.example.org>")
        #expect(MailAddress("  a@localhost ")?.address == "a@localhost")
    }

    @Test(
        "quoted-printable, exactly",
        arguments: [
            ("", "\r\n"), ("a", "a\r\n"), ("a\r\nb\rc\n", "a\r\nb\r\nc\r\n"), ("a=b", "a=3Db\r\n"), ("end ", "end=20\r\n"),
            ("From x", "=46rom x\r\n"), ("é", "=C3=A9\r\n"),
            (String(repeating: "x", count: 76), String(repeating: "x", count: 76) + "\r\n"),
            (String(repeating: "x", count: 77), String(repeating: "x", count: 75) + "=\r\nxx\r\n"),
        ])
    func quotedPrintable(_ text: String, _ encoded: String) {
        #expect(String(decoding: QuotedPrintable.encode(text), as: UTF8.self) == encoded)
    }

    @Test(
        "dates",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 +0000"), (951_782_399_000, "Mon, 28 Feb 2000 23:59:59 +0000"),
            (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 +0000"), (4_102_444_799_999, "Thu, 31 Dec 2099 23:59:59 +0000"),
        ])
    func dates(_ milliseconds: Int64, _ text: String) {
        #expect(MailDate.text(Instant(milliseconds: milliseconds)) == text)
    }

    @Test("a long detail is cut between characters")
    func details() {
        let cut = OutcomeReport.bounded(String(repeating: "é", count: 400))
        #expect(cut.utf8.count <= OutcomeReport.detailBytesMax)
        #expect(cut.hasSuffix("é…"))
        #expect(OutcomeReport.bounded("250 OK") == "250 OK")
    }
}
