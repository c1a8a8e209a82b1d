import JetStreamPorts
import Model
import NATS
import Ports
import TestSupport
import Testing

/// What lies in the stream of snapshots. A later message on a subject stands for bytes that changed.
struct StoredSnapshots: Sendable {
    let installation: JetStreamInstallation
    let connection: NATSConnection

    private var jetStream: JetStream { JetStream(connection, log: testLog) }
    private var stream: String { "\(installation.prefix)_SNAP" }

    func subjects(_ filter: String) async throws -> [String] {
        try await jetStream.subjects(of: stream, matching: "\(installation.prefix).SNAP.\(filter)").keys.sorted()
    }

    func damage(_ subject: SnapshotSubject, commit: UInt64, chunk: Int) async throws {
        let found = try await subjects("\(subject).c.*.\(commit).*.\(chunk)")
        try await change(#require(found.first))
    }

    func damageManifest(of subject: SnapshotSubject) async throws {
        let found = try await subjects("\(subject).m.>")
        try await change(#require(found.max { number($0) < number($1) }))
    }

    private func number(_ subject: String) -> UInt64 { subject.split(separator: ".").last.flatMap { UInt64($0) } ?? 0 }

    private func change(_ subject: String) async throws {
        var bytes = try #require(try await jetStream.lastMessage(on: subject, of: stream)).payload
        if bytes.isEmpty { bytes = [0] } else { bytes[bytes.count / 2] ^= 4 }
        _ = try await connection.request(subject, bytes, timeout: .seconds(5))
    }
}

@Suite struct SnapshotTests {
    let subject = SnapshotSubject.shard(ShardID(2))

    private func head(_ commit: UInt64) -> SnapshotHead {
        SnapshotHead(commit: commit, commitHash: 7, format: 1, time: .distantPast, needs: [])
    }

    @Test func `parts without a manifest, and what is older than what is kept, leave nothing behind`() async throws {
        try await SharedServer.withInstallation { installation, connection async throws in
            let stored = StoredSnapshots(installation: installation, connection: connection)
            let unfinished = try await installation.snapshots.write(head(5), of: subject, upon: nil)
            for _ in 0..<20 { try await unfinished.append([1]) }
            for base: UInt64 in [6, 7, 8] {
                let whole = try await installation.snapshots.put([[1], [2]], head(base * 10), of: subject)
                try await installation.snapshots.put([[3]], head(base * 10 + 1), of: subject, upon: whole)
            }
            let prefix = "\(installation.prefix).SNAP.\(subject)"
            #expect(
                try await stored.subjects("\(subject).m.>") == ["\(prefix).m.70.71", "\(prefix).m.80.81"])
            let chunks = try await stored.subjects("\(subject).c.>")
            #expect(chunks.count == 6 && chunks.allSatisfy { $0.contains(".c.70.") || $0.contains(".c.80.") }, "\(chunks)")
        }
    }

    @Test func `a snapshot that was replaced while it was read is read again, without a word`() async throws {
        try await SharedServer.withInstallation { installation, _ async throws in
            let store = installation.snapshots
            try await store.put([[1]], head(1), of: subject)
            async let writing: Void = {
                for commit: UInt64 in 2..<80 {
                    try await store.put((0..<4).map { [UInt8(commit), $0] }, head(commit), of: subject)
                }
            }()
            var last: UInt64 = 0
            while last < 79 {
                let found = try await store.load(subject, atMost: .max) { Issue.record("\($0)") }
                let commit = try #require(found?.head.commit)
                #expect(commit >= last)
                if commit > 1 { #expect(found?.parts == [(0..<4).map { [UInt8(commit), $0] }]) }
                last = commit
            }
            try await writing
        }
    }
}
