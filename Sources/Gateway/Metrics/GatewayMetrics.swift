internal import Synchronization

/// What the gateway counts, in Prometheus' text form. Any thread.
package final class GatewayMetrics: Sendable {
    package enum Counter: String, CaseIterable, Sendable {
        case accepted = "reprise_gateway_events_accepted_total"
        case batches = "reprise_gateway_batches_total"
        case batchEvents = "reprise_gateway_batch_events_total"
        case batchBytes = "reprise_gateway_batch_bytes_total"
        case retries = "reprise_gateway_append_retries_total"
        case bodyBytes = "reprise_gateway_body_bytes_total"
        case heldUp = "reprise_gateway_requests_held_up_total"

        var help: String {
            switch self {
            case .accepted: "Events that stand in the log."
            case .batches: "Batches that the input logs acknowledged."
            case .batchEvents: "Events in those batches."
            case .batchBytes: "Bytes of those batches."
            case .retries: "Appends that were put off to be tried again."
            case .heldUp: "Requests answered 429 because one customer sent too fast."
            case .bodyBytes: "Bytes of request bodies, after decompression."
            }
        }
    }

    /// Upper borders of the histogram's buckets, in seconds.
    static let bounds: [Double] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private struct RequestLabel: Hashable {
        let path: String
        let status: Int
    }

    private struct State {
        var counters: [Counter: UInt64] = [:]
        var rejected: [String: UInt64] = [:]
        var requests: [RequestLabel: UInt64] = [:]
        var buckets = [UInt64](repeating: 0, count: GatewayMetrics.bounds.count + 1)
        var milliseconds: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    package func count(_ counter: Counter, by amount: Int = 1) {
        state.withLock { $0.counters[counter, default: 0] += UInt64(amount) }
    }

    package func batchAppended(bytes: Int, events: Int) {
        state.withLock { state in
            state.counters[.batches, default: 0] += 1
            state.counters[.batchBytes, default: 0] += UInt64(bytes)
            state.counters[.batchEvents, default: 0] += UInt64(events)
        }
    }

    package func rejected(_ code: String) { state.withLock { $0.rejected[code, default: 0] += 1 } }

    /// `path`: one of the served ones; anything else is to be given as `other`.
    package func request(path: String, status: Int, milliseconds: Int64) {
        let seconds = Double(milliseconds) / 1000
        let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.requests[RequestLabel(path: path, status: status), default: 0] += 1
            state.buckets[bucket] += 1
            state.milliseconds += UInt64(max(0, milliseconds))
        }
    }

    package func value(_ counter: Counter) -> UInt64 { state.withLock { $0.counters[counter] ?? 0 } }

    /// Everything, and the gauges given: name, help, value.
    package func text(gauges: [(name: String, help: String, value: Double)]) -> String {
        let state = state.withLock { $0 }
        var out = ""
        func head(_ name: String, _ help: String, _ type: String) { out += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n" }
        for counter in Counter.allCases {
            head(counter.rawValue, counter.help, "counter")
            out += "\(counter.rawValue) \(state.counters[counter] ?? 0)\n"
        }
        head("reprise_gateway_events_rejected_total", "Events that were not accepted, by reason.", "counter")
        for (code, count) in state.rejected.sorted(by: { $0.key < $1.key }) {
            out += "reprise_gateway_events_rejected_total{reason=\"\(code)\"} \(count)\n"
        }
        head("reprise_gateway_requests_total", "HTTP requests by path and status.", "counter")
        for (label, count) in state.requests.sorted(by: { ($0.key.path, $0.key.status) < ($1.key.path, $1.key.status) }) {
            out += "reprise_gateway_requests_total{path=\"\(label.path)\",status=\"\(label.status)\"} \(count)\n"
        }
        let histogram = "reprise_gateway_request_duration_seconds"
        head(histogram, "From the request's head to its answer.", "histogram")
        var sum: UInt64 = 0
        for (bound, count) in zip(Self.bounds, state.buckets) {
            sum += count
            out += "\(histogram)_bucket{le=\"\(bound)\"} \(sum)\n"
        }
        sum += state.buckets[Self.bounds.count]
        out +=
            "\(histogram)_bucket{le=\"+Inf\"} \(sum)\n"
            + "\(histogram)_sum \(Double(state.milliseconds) / 1000)\n\(histogram)_count \(sum)\n"
        for gauge in gauges {
            head(gauge.name, gauge.help, "gauge")
            out += "\(gauge.name) \(gauge.value)\n"
        }
        return out
    }
}
