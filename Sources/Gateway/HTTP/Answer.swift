internal import HTTPTypes
internal import Hummingbird
internal import Model
internal import NIOCore

/// An answer before it becomes HTTP.
struct Answer: Sendable {
    var status: Int
    var contentType = "application/json; charset=utf-8"
    var body: [UInt8]
    var headers: [(HTTPField.Name, String)] = []

    static func json(_ status: Int, _ text: String) -> Answer { Answer(status: status, body: Array(text.utf8)) }

    /// Every error has the same form.
    static func error(_ status: Int, _ code: String, _ message: String) -> Answer {
        json(status, "{\"code\":\(JSONText.quoted(code)),\"message\":\(JSONText.quoted(message))}")
    }

    static func refusal(_ refusal: Refusal) -> Answer {
        var answer = error(refusal.status, refusal.code, refusal.message)
        if let seconds = refusal.retryAfterSeconds { answer.headers.append((.retryAfter, String(seconds))) }
        // Not Basic, which would make a browser ask the shop's visitor for a password.
        if refusal.status == 401 { answer.headers.append((.wwwAuthenticate, "Bearer realm=\"reprise\"")) }
        return answer
    }

    /// What became of a request whose good events are in the log.
    static func accepted(_ outcome: RequestReading.Outcome) -> Answer {
        guard !outcome.rejected.isEmpty else { return json(200, "{\"success\":true}") }
        let list = rejectedList(outcome.rejected)
        if outcome.events.isEmpty, outcome.rejected.count == 1, let only = outcome.rejected.first {
            return json(
                400,
                "{\"code\":\"\(only.error.code.rawValue)\",\"message\":\(JSONText.quoted(only.error.description)),"
                    + "\"field\":\(JSONText.quoted(only.error.field)),\"rejected\":\(list)}")
        }
        if outcome.events.isEmpty {
            let first = outcome.rejected.first.map { "; the first: \($0.error)" } ?? ""
            let message = "all \(outcome.rejected.count) events were rejected\(first)"
            return json(400, "{\"code\":\"events_rejected\",\"message\":\(JSONText.quoted(message)),\"rejected\":\(list)}")
        }
        return json(200, "{\"success\":true,\"accepted\":\(outcome.events.count),\"rejected\":\(list)}")
    }

    private static func rejectedList(_ rejected: [Rejection]) -> String {
        let items = rejected.map { item in
            "{\"index\":\(item.index),\"code\":\"\(item.error.code.rawValue)\",\"field\":\(JSONText.quoted(item.error.field)),"
                + "\"message\":\(JSONText.quoted(item.error.message))}"
        }
        return "[" + items.joined(separator: ",") + "]"
    }

    var response: Response {
        var fields = HTTPFields()
        fields[.contentType] = contentType
        for (name, value) in headers { fields.append(HTTPField(name: name, value: value)) }
        return Response(
            status: .init(code: status), headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
