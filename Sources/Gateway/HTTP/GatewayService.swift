internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import Model
internal import NIOCore
internal import Ports

/// Answers requests. Holds no state of its own but what its parts hold; any thread.
struct GatewayService: Sendable {
    let options: GatewayOptions
    let watch: LogWatch
    let intake: Intake
    let budget: ByteBudget
    let admission: Admission
    let open: OpenRequests
    let metrics: GatewayMetrics
    let messaging: any Messaging
    let clock: any WallClock
    let log: Logger
    let keys: WriteKeys
    let admin: AdminAccess

    func respond(to request: Request) async -> Response {
        let begin = clock.now()
        let route = Route(method: request.method.rawValue, path: request.uri.path)
        var answer = await answer(route, request)
        if case .ingest = route { answer.headers.append((.accessControlAllowOrigin, "*")) }
        metrics.request(path: route.label, status: answer.status, milliseconds: clock.now() - begin)
        var response = answer.response
        if request.method == .head { response.body = ResponseBody() }
        return response
    }

    private func answer(_ route: Route, _ request: Request) async -> Answer {
        switch route {
        case .ingest(let endpoint):
            do throws(Refusal) {
                return .accepted(try await ingest(endpoint, request))
            } catch {
                return .refusal(error)
            }
        case .preflight:
            return Answer(
                status: 204, body: [],
                headers: [
                    (.accessControlAllowOrigin, "*"), (.accessControlAllowMethods, "POST"),
                    (.accessControlAllowHeaders, "authorization, content-type, content-encoding"),
                    (.accessControlMaxAge, "86400"),
                ])
        case .health: return .json(200, "{\"status\":\"ok\"}")
        case .ready:
            if watch.isReady, !open.isStopping { return .json(200, "{\"status\":\"ready\"}") }
            return .refusal(
                Refusal(503, "not_ready", "the log does not answer, or the gateway is stopping", retryAfterSeconds: 2))
        case .metrics: return metricsPage()
        case .page: return page(request)
        case .status: return await ask("coordinator.status", [], request)
        case .mechanics: return await ask("coordinator.mechanics", [], request)
        case .customer(let key): return await customer(key, request)
        case .wrongMethod(let allowed):
            var answer = Answer.error(405, "method_not_allowed", "allowed here: \(allowed)")
            answer.headers.append((.allow, allowed))
            return answer
        case .nothing: return .error(404, "not_found", "there is nothing at this path")
        }
    }

    // MARK: Events

    private func ingest(_ endpoint: RequestReading.Endpoint, _ request: Request) async throws(Refusal) -> RequestReading.Outcome {
        guard let settings = watch.settings else {
            throw Refusal(503, "not_ready", "the gateway has not read the configuration yet", retryAfterSeconds: 2)
        }
        let length = request.headers[.contentLength].flatMap(Int.init) ?? Limits.bodyBytesMax
        guard length <= Limits.bodyBytesMax else { throw RequestReading.tooLarge }
        guard budget.take(length) else { throw Self.overloaded }
        var taken = length
        defer { budget.give(taken) }

        let body = try await read(request)
        guard open.begin() else { throw Refusal(503, "stopping", "this gateway is stopping", retryAfterSeconds: 1) }
        defer { open.end() }
        let plain = try RequestReading.plain(body, contentEncoding: request.headers[.contentEncoding])
        // The events made of a body take about as much again.
        let needed = max(0, plain.count * 2 - taken)
        guard budget.take(needed) else { throw Self.overloaded }
        taken += needed
        metrics.count(.bodyBytes, by: plain.count)

        let reading = RequestReading(keys: keys, mapping: EventMapping(settings: settings))
        let outcome = try reading.read(
            endpoint, authorization: request.headers[.authorization], body: plain, receivedAt: clock.now())
        report(outcome.rejected, of: outcome.events.count + outcome.rejected.count)
        guard !watch.isFull(outcome.events.places.lazy.map { options.installation.shards.shard(hash: $0.customer) }) else {
            throw Refusal(
                503, "log_full", "the input log is nearly full; it takes events again when it was trimmed", retryAfterSeconds: 30)
        }
        let decision = admission.decide(outcome.events, now: clock.now())
        let parts = intake.parts(decision.events)
        guard !intake.isBehind(parts, now: clock.now()) else {
            throw Refusal(503, "log_slow", "the log takes events too slowly now; send the request again", retryAfterSeconds: 5)
        }
        if let failure = await intake.submit(parts) { throw refusal(failure) }
        metrics.count(.accepted, by: decision.events.count)
        if let refusal = decision.refusal {
            metrics.count(.heldUp)
            admission.remember(decision.events, now: clock.now())
            throw refusal
        }
        return outcome
    }

    private static let overloaded = Refusal(429, "overloaded", "too many events are waiting for the log", retryAfterSeconds: 1)

    /// A sender that takes longer than a body may take is cut off: what it has announced counts against the budget.
    private func read(_ request: Request) async throws(Refusal) -> [UInt8] {
        let deadline = clock.now() + options.bodyMilliseconds
        let result: Result<[UInt8], Refusal> = await withTaskGroup { group in
            group.addTask { await Self.collect(request.body) }
            group.addTask { [clock] in
                // Cancelled when the body is there.
                try? await clock.sleep(until: deadline)
                return .failure(
                    Refusal(408, "body_too_slow", "the body took longer than \(options.bodyMilliseconds / 1000) seconds"))
            }
            let first = await group.next() ?? .failure(RequestReading.tooLarge)
            group.cancelAll()
            return first
        }
        return try result.get()
    }

    private static func collect(_ body: RequestBody) async -> Result<[UInt8], Refusal> {
        do {
            return .success(Array(try await body.collect(upTo: Limits.bodyBytesMax).readableBytesView))
        } catch is NIOTooManyBytesError {
            return .failure(RequestReading.tooLarge)
        } catch {
            return .failure(Refusal(400, "body_incomplete", "the body ended early"))
        }
    }

    private func refusal(_ failure: LogError) -> Refusal {
        log.error("events were not accepted by the log", metadata: ["error": "\(failure)"])
        switch failure.code {
        case .full: return Refusal(503, "log_full", "the input log is full", retryAfterSeconds: 30)
        case .tooLarge: return Refusal(503, "log_refused", "the log takes no batch of this size", retryAfterSeconds: 30)
        default: return Refusal(503, "log_unavailable", "the log does not answer; send the request again", retryAfterSeconds: 5)
        }
    }

    /// Lines of one request that are logged singly; the answer has them all.
    private static let reportedMax = 10

    private func report(_ rejected: [Rejection], of count: Int) {
        guard !rejected.isEmpty else { return }
        for item in rejected { metrics.rejected(item.error.code.rawValue) }
        let reasons = rejected.prefix(Self.reportedMax).map { "\($0.index): \($0.error)" }
        log.warning(
            "events rejected",
            metadata: ["rejected": "\(rejected.count)", "of": "\(count)", "first": .array(reasons.map { .string($0) })])
    }

    // MARK: Reading

    private func metricsPage() -> Answer {
        let text = metrics.text(gauges: [
            ("reprise_gateway_body_bytes_in_flight", "Bytes that open requests hold.", Double(budget.inUse)),
            ("reprise_gateway_input_fill_ratio", "Fill of the fullest input log, 0 to 1.", watch.fill),
            ("reprise_gateway_ready", "1 when the log answers.", watch.isReady ? 1 : 0),
        ])
        return Answer(status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body: Array(text.utf8))
    }

    private func page(_ request: Request) -> Answer {
        if admin.isKeyInQuery(request.uri.query.map { $0[...] }) {
            return Answer(status: 303, body: [], headers: [(.setCookie, admin.setCookie), (.location, "/")])
        }
        return Answer(
            status: 200, contentType: "text/html; charset=utf-8", body: PackageResources.index_html,
            headers: [
                (.cacheControl, "no-cache"),
                (
                    .contentSecurityPolicy,
                    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
                ),
            ])
    }

    private func customer(_ key: String, _ request: Request) async -> Answer {
        guard key.utf8.count <= Limits.customerKeyBytesMax else {
            return .error(400, "invalid_field", "key: has more than \(Limits.customerKeyBytesMax) bytes")
        }
        var asked = key
        for _ in 0..<Self.hopsMax {
            let shard = options.installation.shards.shard(of: CustomerKey(asked))
            let answer = await ask("shard.\(shard).customer", Array(asked.utf8), request)
            guard answer.status == 200, let view = try? JSONDocument(answer.body).root else { return answer }
            if let next = view["leadsTo"]?.string {
                asked = next
            } else if view["found"]?.bool == false {
                break
            } else {
                return answer
            }
        }
        return .error(404, "customer_not_found", "no customer has the key \(key)")
    }

    /// Keys that lead on to another one, between an identifier and its customer.
    private static let hopsMax = 16

    /// Passes a question on; who reads must have the admin key.
    private func ask(_ subject: String, _ payload: [UInt8], _ request: Request) async -> Answer {
        let query = request.uri.query.map { $0[...] }
        guard admin.admits(request.headers, query: query) else {
            return .error(401, "unauthorized", "the admin key is needed: as Bearer token, or open the page with ?key=…")
        }
        do throws(RequestError) {
            var answer = Answer(status: 200, body: try await messaging.request(subject, payload, timeout: .seconds(2)))
            answer.headers.append((.cacheControl, "no-store"))
            if admin.isKeyInQuery(query) { answer.headers.append((.setCookie, admin.setCookie)) }
            return answer
        } catch {
            return .refusal(Refusal(503, "nobody_answers", "nobody answers on \(subject) now: \(error)", retryAfterSeconds: 2))
        }
    }
}
