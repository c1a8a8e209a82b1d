import Curl
import Foundation
import Testing

/// How a result is told apart in the table below.
enum ResultKind: String, Sendable {
    case accepted, refused, failedMessage, failedProvider, uncertain

    init(_ result: SMTPResult) {
        switch result {
        case .accepted: self = .accepted
        case .refused: self = .refused
        case .failed(_, .message): self = .failedMessage
        case .failed(_, .provider): self = .failedProvider
        case .uncertain: self = .uncertain
        }
    }
}

struct Fault: Sendable, CustomTestStringConvertible {
    let script: String
    let kind: ResultKind
    /// Messages whose final dot came to the server.
    let received: Int

    init(_ script: String, _ kind: ResultKind, received: Int = 0) {
        self.script = script
        self.kind = kind
        self.received = received
    }

    var testDescription: String { "\(script) is \(kind.rawValue)" }
}

@Suite(.timeLimit(.minutes(2))) struct SMTPTransportTests {
    static let faults: [Fault] = [
        Fault("ok", .accepted, received: 1),
        Fault("greeting=drop", .failedProvider),
        Fault("greeting=hang", .failedProvider),
        Fault("greeting=554 5.3.2 closed", .failedProvider),
        Fault("greeting=421 busy", .failedProvider),
        Fault("ehlo=drop", .failedProvider),
        Fault("ehlo=hang", .failedProvider),
        // Falls back to HELO.
        Fault("ehlo=550 no", .accepted, received: 1),
        Fault("mail=drop", .failedProvider),
        Fault("mail=hang", .failedProvider),
        Fault("mail=451 later", .failedMessage),
        Fault("mail=530 5.7.0 log in first", .failedProvider),
        Fault("mail=550 5.7.1 sender refused", .refused),
        Fault("mail=552 too large", .refused),
        Fault("rcpt=drop", .failedProvider),
        Fault("rcpt=hang", .failedProvider),
        Fault("rcpt=450 greylisted", .failedMessage),
        Fault("rcpt=421 closing", .failedProvider),
        Fault("rcpt=550 5.1.1 no such user", .refused),
        Fault("data=drop", .failedProvider),
        Fault("data=hang", .failedProvider),
        Fault("data=451 later", .failedMessage),
        Fault("data=554 no", .refused),
        Fault("body=drop", .uncertain),
        Fault("body=hang", .uncertain),
        Fault("late", .uncertain, received: 1),
        Fault("end=drop", .uncertain, received: 1),
        Fault("end=hang", .uncertain, received: 1),
        Fault("end=250-half a reply", .uncertain, received: 1),
        Fault("end=451 later", .failedMessage, received: 1),
        Fault("end=421 closing", .failedProvider, received: 1),
        Fault("end=554 5.7.1 looks like spam", .refused, received: 1),
        Fault("end=251 will forward", .accepted, received: 1),
    ]

    static let message = SMTPMessage(
        from: "shop@example.org", to: "anna@example.org",
        content: Array("Subject: one\r\nX-Reprise-Action: 1\r\n\r\n.dot\r\nFrom here\r\n".utf8))

    static func options(_ port: Int, connections: Int = 1) -> SMTPOptions {
        SMTPOptions(
            host: "127.0.0.1", port: port, connections: connections, connectTimeoutMilliseconds: 2000, timeoutMilliseconds: 1500)
    }

    @Test("I11 what the server does at each phase says whether the message can have left", arguments: faults)
    func classification(_ fault: Fault) async throws {
        let folder = try ScratchFolder()
        let server = try await PythonServer("Tests/Scripts/scripted_smtp.py", ["--log", folder.path("log"), fault.script])
        let result = await SMTPTransport(Self.options(server.port)).send(Self.message)
        #expect(ResultKind(result) == fault.kind, "\(result)")
        #expect(folder.lines("log").count == fault.received)
        if fault.kind == .refused, case .refused(let reply) = result {
            #expect(fault.script.hasSuffix(reply), "the server's words: \(reply)")
        }
    }

    @Test("a large text that is cut off is uncertain")
    func largeText() async throws {
        let folder = try ScratchFolder()
        let server = try await PythonServer("Tests/Scripts/scripted_smtp.py", ["--log", folder.path("log"), "body=drop"])
        var message = Self.message
        message.content += Array(repeating: Array("0123456789\r\n".utf8), count: 200_000).flatMap { $0 }
        #expect(ResultKind(await SMTPTransport(Self.options(server.port)).send(message)) == .uncertain)
    }

    @Test("nobody listens") func nobody() async throws {
        let folder = try ScratchFolder()
        var server: PythonServer? = try await PythonServer("Tests/Scripts/scripted_smtp.py", ["--log", folder.path("log"), "ok"])
        let port = try #require(server?.port)
        server = nil
        #expect(ResultKind(await SMTPTransport(Self.options(port)).send(Self.message)) == .failedProvider)
    }

    @Test("a kept connection that the server closed costs nothing, and nothing is sent twice")
    func reuse() async throws {
        let folder = try ScratchFolder()
        let server = try await PythonServer("Tests/Scripts/scripted_smtp.py", ["--log", folder.path("log"), "ok1", "ok1", "ok"])
        let transport = SMTPTransport(Self.options(server.port))
        for _ in 0..<4 { #expect(ResultKind(await transport.send(Self.message)) == .accepted) }
        #expect(folder.lines("log").count == 4)
    }

    @Test(
        "an envelope address cannot bring a command of its own",
        arguments: [
            "a@b.org>\r\nRCPT TO:<eve@b.org", "a b@c.org", "", "a@b.org\n", "<a@b.org>",
        ])
    func injection(_ address: String) async throws {
        var message = Self.message
        message.to = address
        // Port 1: it must not even try to connect.
        #expect(ResultKind(await SMTPTransport(Self.options(1)).send(message)) == .refused)
    }

    @Test("E1 TLS and login", arguments: ["starttls", "tls"])
    func secured(_ name: String) async throws {
        let folder = try ScratchFolder()
        let security = try #require(SMTPOptions.Security(rawValue: name))
        for name in ["good", "other"] {
            _ = try await PythonServer.run([
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=IP:127.0.0.1", "-keyout", folder.path("\(name).key"), "-out", folder.path("\(name).pem"),
            ])
        }
        let server = try await PythonServer(
            "Tests/Scripts/scripted_smtp.py",
            ["--log", folder.path("log"), "--tls-cert", folder.path("good.pem"), "--tls-key", folder.path("good.key"), "--auth"]
                + (security == .implicit ? ["--implicit"] : []) + ["ok"])
        var options = Self.options(server.port)
        options.security = security
        options.authorityFile = folder.path("good.pem")
        options.user = "user"
        options.password = "secret"
        #expect(ResultKind(await SMTPTransport(options).send(Self.message)) == .accepted)
        options.password = "wrong"
        #expect(ResultKind(await SMTPTransport(options).send(Self.message)) == .failedProvider, "a wrong password is no bounce")
        options.password = "secret"
        options.authorityFile = folder.path("other.pem")
        #expect(ResultKind(await SMTPTransport(options).send(Self.message)) == .failedProvider, "a stranger's certificate")
        #expect(folder.lines("log").count == 1)
    }

    @Test("a server without TLS gets nothing when TLS is asked for")
    func noDowngrade() async throws {
        let folder = try ScratchFolder()
        let server = try await PythonServer("Tests/Scripts/scripted_smtp.py", ["--log", folder.path("log"), "ok"])
        var options = Self.options(server.port)
        options.security = .startTLS
        #expect(ResultKind(await SMTPTransport(options).send(Self.message)) == .failedProvider)
        #expect(folder.lines("log").isEmpty)
    }
}
