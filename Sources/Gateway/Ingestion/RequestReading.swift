package import Model

/// From the bytes of a request to events: keys, compression, JSON, batch. Pure.
package struct RequestReading: Sendable {
    /// What was posted to.
    package enum Endpoint: Equatable, Sendable {
        case call(EventMapping.Call)
        case batch

        /// `identify`, `track` … `batch`: the path behind `/v1/`.
        package init?(name: some StringProtocol) {
            if name == "batch" {
                self = .batch
            } else if let call = EventMapping.Call(rawValue: String(name)) {
                self = .call(call)
            } else {
                return nil
            }
        }
    }

    /// A request that was understood, at least in part.
    package struct Outcome: Equatable, Sendable {
        package var events: PackedEvents
        /// Of a batch: the events that were not accepted, and why.
        package var rejected: [Rejection]
        /// Of the events: how many were usual enough to be packed straight from their bytes.
        package var quick = 0
        /// After decompression.
        package var bodyBytes: Int
    }

    package let keys: WriteKeys
    package let mapping: EventMapping

    package init(keys: WriteKeys, mapping: EventMapping) {
        self.keys = keys
        self.mapping = mapping
    }

    /// The body without its compression; refuses what is or would be too large.
    package static func plain(_ body: [UInt8], contentEncoding: String?) throws(Refusal) -> [UInt8] {
        switch contentEncoding?.lowercased() {
        case nil, "", "identity": break
        case "gzip", "x-gzip":
            do throws(Gunzip.Failure) {
                return try Gunzip.inflate(body, max: Limits.bodyBytesMax)
            } catch {
                switch error {
                case .tooLarge: throw tooLarge
                case .damaged: throw Refusal(400, "bad_gzip", "the body is not valid gzip, though Content-Encoding says so")
                }
            }
        default: throw Refusal(400, "unknown_encoding", "Content-Encoding may be gzip or absent")
        }
        guard body.count <= Limits.bodyBytesMax else { throw tooLarge }
        return body
    }

    package static let tooLarge = Refusal(
        413, "body_too_large", "the body is larger than \(Limits.bodyBytesMax) bytes after decompression; send it in parts")

    static let unauthorized = Refusal(
        401, "unauthorized", "no valid write key: send it as Basic user name, as Bearer token, or as writeKey in the body")

    /// - Parameters:
    ///   - authorization: the header, if there was one.
    ///   - body: decompressed.
    package func read(
        _ endpoint: Endpoint, authorization: String?, body: [UInt8], receivedAt: Instant
    ) throws(Refusal) -> Outcome {
        let admitted = keys.admits(authorization: authorization)
        let root: JSONValue
        do throws(JSONError) {
            root = try JSONDocument(body).root
        } catch {
            guard admitted || authorization == nil else { throw Self.unauthorized }
            throw Refusal(400, "bad_json", "the body is not JSON: \(error)")
        }
        guard admitted || root["writeKey"]?.string.map(keys.contains) == true else { throw Self.unauthorized }
        guard root.kind == .object else { throw Refusal(400, "bad_json", "the body must be a JSON object") }
        switch endpoint {
        case .call(let call): return try single(root, call, bytes: body.count, receivedAt: receivedAt)
        case .batch: return try batch(root, bytes: body.count, receivedAt: receivedAt)
        }
    }

    private func single(_ root: JSONValue, _ call: EventMapping.Call, bytes: Int, receivedAt: Instant) throws(Refusal) -> Outcome
    {
        do throws(FieldError) {
            let event = try mapping.event(root, call: call, envelope: EventMapping.Envelope(receivedAt: receivedAt))
            return Outcome(events: PackedEvents([event]), rejected: [], bodyBytes: bytes)
        } catch {
            return Outcome(events: PackedEvents(), rejected: [Rejection(index: 0, error: error)], bodyBytes: bytes)
        }
    }

    private func batch(_ root: JSONValue, bytes: Int, receivedAt: Instant) throws(Refusal) -> Outcome {
        guard let batch = FieldReading.member(root, "batch") else { throw Refusal(400, "missing_field", "batch: is needed") }
        guard batch.kind == .array else { throw Refusal(400, "invalid_field", "batch: must be an array") }
        let items = Array(batch.elements)
        guard !items.isEmpty else { throw Refusal(400, "invalid_field", "batch: is empty") }
        guard items.count <= Limits.bodyEventsMax else {
            throw Refusal(400, "too_many_events", "batch: has \(items.count) events; at most \(Limits.bodyEventsMax) are allowed")
        }
        var envelope = EventMapping.Envelope(receivedAt: receivedAt)
        do throws(FieldError) {
            envelope.context = try FieldReading.object(root, "context", at: "")
            if let value = FieldReading.member(root, "sentAt") { envelope.sentAt = try EventTimes.instant(value, at: "sentAt") }
        } catch {
            throw Refusal(400, error.code.rawValue, error.description)
        }
        return batch.document.withBytes { json in outcome(items, json, envelope: envelope, bytes: bytes) }
    }

    private func outcome(_ items: [JSONValue], _ json: JSONBytes, envelope: EventMapping.Envelope, bytes: Int) -> Outcome {
        var quick = QuickEvents(json, settings: mapping.settings, envelope: envelope)
        var outcome = Outcome(events: PackedEvents(reservingEvents: items.count), rejected: [], bodyBytes: bytes)
        for (index, item) in items.enumerated() {
            if quick?.append(item.index, to: &outcome.events) == true {
                outcome.quick += 1
                continue
            }
            do throws(FieldError) {
                outcome.events.append(try mapping.event(item, call: nil, envelope: envelope))
            } catch {
                outcome.rejected.append(Rejection(index: index, error: error))
            }
        }
        return outcome
    }
}
