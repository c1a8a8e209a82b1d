import JetStreamPorts
import Model
import NATS
import Ports
import Synchronization
import TestSupport
import Testing

@Suite struct SnapshotTests {
    let subject = SnapshotSubject.shard(ShardID(2))

    private func snapshot(_ commit: UInt64, bytes: Int) -> Snapshot {
        Snapshot(
            commit: commit, commitHash: UInt128(commit) << 70 | 5,
            payload: (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ Int(commit)) })
    }

    @Test func `a damaged chunk makes the one before the newest`() async throws {
        try await SharedServer.withInstallation { installation, connection async throws in
            let whole = snapshot(10, bytes: 3_000_000)
            try await installation.snapshots.put(whole, of: subject)
            try await installation.snapshots.put(snapshot(20, bytes: 3_000_000), of: subject)
            #expect(try await installation.snapshots.newest(of: subject, atMost: .max) { _ in }?.commit == 20)
            let jetStream = JetStream(connection, log: testLog)
            let stream = "\(installation.prefix)_SNAP"
            let chunks = try await jetStream.subjects(of: stream, matching: "\(installation.prefix).SNAP.\(subject).c.20.>")
            #expect(chunks.count == 6)
            let damaged = try #require(chunks.keys.sorted().first)
            // A later message on the chunk's subject stands for bytes that changed.
            _ = try await connection.request(damaged, [1, 2, 3], timeout: .seconds(5))
            let reports = Mutex<[String]>([])
            let found = try await installation.snapshots.newest(of: subject, atMost: .max) { report in
                reports.withLock { $0.append(report) }
            }
            #expect(found == whole)
            #expect(reports.withLock { $0.count } == 1)
            #expect(reports.withLock { $0.first?.contains("commit 20") } == true)
        }
    }

    @Test func `a snapshot without its manifest is never seen, and is removed later`() async throws {
        try await SharedServer.withInstallation { installation, connection async throws in
            let jetStream = JetStream(connection, log: testLog)
            let prefix = "\(installation.prefix).SNAP.\(subject)"
            _ = try await connection.request("\(prefix).c.5.77.0", [1], timeout: .seconds(5))
            #expect(try await installation.snapshots.newest(of: subject, atMost: .max) { _ in } == nil)
            for commit: UInt64 in [6, 7, 8] { try await installation.snapshots.put(snapshot(commit, bytes: 10), of: subject) }
            let left = try await jetStream.subjects(of: "\(installation.prefix)_SNAP", matching: "\(prefix).>")
            #expect(
                left.keys.allSatisfy {
                    $0.contains(".c.7.") || $0.contains(".c.8.") || $0.contains(".m.7") || $0.contains(".m.8")
                })
            #expect(left.count == 4)
        }
    }
}
