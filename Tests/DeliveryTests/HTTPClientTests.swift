import Curl
import Foundation
import Testing

@Suite(.timeLimit(.minutes(1))) struct HTTPClientTests {
    @Test("method, headers and body arrive; status, headers and body come back")
    func exchange() async throws {
        let server = try await PythonServer("Tests/Scripts/echo_http.py", [])
        let client = HTTPClient(connections: 2)
        let base = "http://127.0.0.1:\(server.port)"
        let answer = try await client.send(
            HTTPRequest(
                "POST", base + "/a?b=c", headers: [("Content-Type", "text/plain"), ("X-One", "1")], body: Array("häagen".utf8)))
        #expect(answer.status == 200)
        #expect(answer.headers["x-echo"] == "yes")
        #expect(answer.text == "POST /a?b=c 1 häagen")
        #expect(try await client.send(HTTPRequest("GET", base + "/x")).text == "GET /x - ")
        #expect(try await client.send(HTTPRequest("POST", base + "/empty", body: [])).text == "POST /empty - ")
        #expect(try await client.send(HTTPRequest("GET", base + "/status/503")).status == 503)
    }

    @Test("bounds: the answer's size, time, control characters, a port without a server")
    func bounds() async throws {
        let server = try await PythonServer("Tests/Scripts/echo_http.py", [])
        let client = HTTPClient()
        let base = "http://127.0.0.1:\(server.port)"
        func code(_ request: HTTPRequest) async -> TransferError.Code? {
            do throws(TransferError) {
                _ = try await client.send(request)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(await code(HTTPRequest("GET", base + "/large", responseBytesMax: 1000)) == .tooLarge)
        #expect(await code(HTTPRequest("GET", base + "/hang", timeoutMilliseconds: 200)) == .timeout)
        #expect(await code(HTTPRequest("GET", base, headers: [("X", "a\r\nY: b")])) == .options)
        #expect(await code(HTTPRequest("GET", "file:///etc/hostname")) == .options)
        #expect(await code(HTTPRequest("GET", "http://127.0.0.1:1/")) == .connection)
    }

    @Test("many at once, more than there are connections")
    func many() async throws {
        let server = try await PythonServer("Tests/Scripts/echo_http.py", [])
        let client = HTTPClient(connections: 4)
        let port = server.port
        let good = try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<100 {
                group.addTask {
                    try await client.send(HTTPRequest("GET", "http://127.0.0.1:\(port)/\(index)")).text == "GET /\(index) - "
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(good == 100)
    }
}
