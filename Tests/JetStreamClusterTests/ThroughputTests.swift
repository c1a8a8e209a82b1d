import Foundation
import JetStreamPorts
import Model
import Ports
import Testing

/// Prints figures; run on purpose: `REPRISE_THROUGHPUT=1 swift test --filter ThroughputTests`.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["REPRISE_THROUGHPUT"] != nil), .serialized)
struct ThroughputTests {
    @Test(arguments: [(128, 200_000, false), (128, 200_000, true), (64 << 10, 4000, false), (64 << 10, 4000, true)])
    func `appending and reading`(bytes: Int, count: Int, fenced: Bool) async throws {
        var bounds = StreamBounds.small
        bounds.inputBytes = nil
        try await SharedServer.withInstallation(bounds: bounds) { installation, _ async throws in
            let log = LogName.input(ShardID(0))
            let window = (32 << 20) / max(bytes, 1024)
            let payload = [UInt8](repeating: 7, count: bytes)
            let writing = await ContinuousClock().measure {
                for start in stride(from: 0, to: count, by: window) {
                    let payloads = [[UInt8]](repeating: payload, count: min(window, count - start))
                    let results = await pipeline(
                        payloads, to: log, of: installation.logs, expectingFrom: fenced ? UInt64(start) : nil)
                    #expect(results.allSatisfy { $0.sequence != nil })
                }
            }
            let reading = try await ContinuousClock().measure {
                let reader = try await installation.logs.read(log, from: 1)
                defer { reader.close() }
                var read = 0
                while read < count { read += try await reader.next(max: 4096).count }
            }
            let megabytes = Double(bytes * count) / 1e6
            for (what, time) in [("append", writing), ("read", reading)] {
                let seconds = time / .seconds(1)
                print("\(what) \(bytes) B, fenced \(fenced): \(Int(Double(count) / seconds))/s, \(Int(megabytes / seconds)) MB/s")
            }
        }
    }
}
