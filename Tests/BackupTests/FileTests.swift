import Foundation
import Logging
import Model
import Ports
import SimulatedPorts
import Synchronization
import Testing

@testable import Backup

private struct StandingClock: WallClock {
    func now() -> Instant { Instant(milliseconds: 1_700_000_000_000) }
    func sleep(until instant: Instant) async throws { try Task.checkCancellation() }
}

/// Logs of two shards, made of commits without steps, and where they are put back.
private struct Made {
    let logs = SimulatedLogStore(clock: StandingClock())
    let snapshots = SimulatedSnapshotStore()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("reprise-backup-\(UUID().uuidString)")
    let installation: Installation

    init() async throws {
        let shards = try #require(ShardMap(shards: 2))
        installation = Installation(shards: shards, timeMode: .live, replicas: 1)
        for shard in shards.all {
            var hash: UInt128 = 0
            for number in 1...40 as ClosedRange<UInt64> {
                let event = Event(customer: .user("c\(number)"), time: .distantPast, body: .identify(Identify()))
                _ = try await logs.append(to: .input(shard), InputMessage.events([event]).encoded())
                let step = Step(
                    inputSequence: number, eventsThrough: 1, clock: Instant(milliseconds: 1), wakeUps: 0, configuration: 1,
                    effects: [])
                let commit = Commit(
                    kind: number == 1 ? .fence : .steps, shard: shard, epoch: 1, number: number, previousHash: hash, brain: 3,
                    owner: "w", steps: number == 1 ? [] : [step]
                ).encoded()
                hash = commit.hash
                _ = try await logs.append(to: .commits(shard), commit.bytes)
                if number % 16 == 0 {
                    let head = SnapshotHead(
                        commit: number, commitHash: hash, format: 1, time: Instant(milliseconds: 5),
                        needs: [
                            LogNeed(.input(shard), from: number + 1), LogNeed(.commits(shard), from: number),
                            LogNeed(.configuration, from: 1),
                        ])
                    try await snapshots.put([[1, 2, 3], Array(repeating: 7, count: 9000)], head, of: .shard(shard))
                }
            }
        }
        let positions = SnapshotHead(
            commit: 40, commitHash: 9, format: 1, time: Instant(milliseconds: 5),
            needs: shards.all.map { LogNeed(.commits($0), from: 20) })
        try await snapshots.put([[5]], positions, of: .coordinator)
        _ = try await logs.append(to: .configuration, [1, 2, 3])
    }

    func save(_ through: (any LogStore)? = nil) async throws -> BackupManifest {
        try await BackupRun(
            of: installation, prefix: "reprise", logs: through ?? logs, snapshots: snapshots, to: folder,
            log: Logger(label: "test")
        ).run(now: Instant(milliseconds: 77))
    }

    func remove() throws { try FileManager.default.removeItem(at: folder) }
}

/// Logs in memory that are put back.
private final class Shelf: InstallationRestoring {
    struct Content: Equatable {
        var first: UInt64
        var records: [LogRecord] = []
    }

    let store = SimulatedSnapshotStore()
    let logs = Mutex<[LogName: Content]>([:])
    let hold = Mutex<DeliveryRecord?>(nil)
    /// Appends until it fails once; nil = it does not.
    let crashAfter = Mutex<Int?>(nil)
    var snapshots: any SnapshotStore { store }

    struct Crash: Error {}

    func begin(_ log: LogName, first: UInt64) async throws -> UInt64 {
        logs.withLock { logs in
            let content = logs[log] ?? Content(first: first)
            logs[log] = content
            return content.first + UInt64(content.records.count) - 1
        }
    }

    func append(_ records: [LogRecord], to log: LogName) async throws {
        let crashes = crashAfter.withLock { left in
            left = left.map { $0 - 1 }
            return left == 0
        }
        logs.withLock { $0[log]?.records += crashes ? Array(records.prefix(records.count / 2)) : records }
        if crashes { throw Crash() }
    }

    func finish(_ hold: DeliveryRecord) async throws { self.hold.withLock { $0 = hold } }
}

/// A backup's files, over logs in memory.
@Suite("F8 files of a backup")
struct FileTests {
    @Test func `logs that are trimmed again and again while they are copied are begun anew until they hold`() async throws {
        let made = try await Made()
        let manifest = try await made.save(TrimmingLogStore(logs: made.logs))
        #expect(manifest.inputs.allSatisfy { $0.first > 20 && $0.last == 40 })
        #expect(manifest.commits.allSatisfy { $0.first == 20 && $0.last == 40 })
        try StoredBackup(made.folder).verify()
        try made.remove()
    }

    @Test func `what is put back is what was saved, records, times, snapshots, and delivery is held`() async throws {
        let made = try await Made()
        for shard in made.installation.shards.all {
            try await made.logs.trim(.input(shard), below: 17)
            try await made.logs.trim(.commits(shard), below: 16)
        }
        let manifest = try await made.save()
        #expect(manifest.positions.allSatisfy { $0.input == 40 && $0.commit == 40 && $0.brain == 3 })
        let backup = try StoredBackup(made.folder)
        #expect(backup.manifest.bytes == manifest.bytes)
        try backup.verify()
        let shelf = Shelf()
        try await backup.restore(to: shelf, now: Instant(milliseconds: 99))
        for (name, _) in manifest.logs {
            let content = try #require(shelf.logs.withLock { $0[name] })
            #expect(content.records == made.logs.contents(of: name))
            if case .input = name { #expect(content.first == 17) }
        }
        for shard in made.installation.shards.all {
            let (put, kept) = (
                try await shelf.store.load(.shard(shard), atMost: .max) { _ in },
                try await made.snapshots.load(.shard(shard), atMost: .max) { _ in }
            )
            #expect(put?.parts == kept?.parts && put?.head == kept?.head)
        }
        let hold = shelf.hold.withLock { $0 }
        #expect(hold?.isHeld == true && hold?.isRestored == true)
        try made.remove()
    }

    @Test func `a restore that crashed goes on where it stopped`() async throws {
        let made = try await Made()
        let manifest = try await made.save()
        let backup = try StoredBackup(made.folder)
        for crash in 1...5 {
            let shelf = Shelf()
            shelf.crashAfter.withLock { $0 = crash }
            await #expect(throws: Shelf.Crash.self) { try await backup.restore(to: shelf, now: Instant(milliseconds: 1)) }
            #expect(shelf.hold.withLock { $0 } == nil, "not finished, so not to be opened")
            try await backup.restore(to: shelf, now: Instant(milliseconds: 1))
            for (name, _) in manifest.logs {
                #expect(shelf.logs.withLock { $0[name]?.records } == made.logs.contents(of: name), "\(name) after \(crash)")
            }
        }
        try made.remove()
    }

    @Test func `a folder that is not empty is refused, and one without a manifest is no backup`() async throws {
        let made = try await Made()
        try FileManager.default.createDirectory(at: made.folder, withIntermediateDirectories: true)
        try Data([1]).write(to: made.folder.appendingPathComponent("x"))
        await #expect(throws: BackupError.self) { _ = try await made.save() }
        #expect(throws: BackupError.self) { _ = try StoredBackup(made.folder) }
        try made.remove()
    }

    @Test func `any file that is cut, changed in any byte, or missing is found`() async throws {
        let made = try await Made()
        let manifest = try await made.save()
        var random = SplitMix(seed: 5)
        let files = manifest.files.filter { $0.bytes > 0 }.map(\.path) + [BackupManifest.fileName]
        #expect(files.count == 5 + 3 + 1)
        for path in files {
            let url = made.folder.appendingPathComponent(path)
            let whole = try Data(contentsOf: url)
            func isRefused(_ what: String) {
                #expect(throws: (any Error).self, "\(path) \(what)") { try StoredBackup(made.folder).verify() }
            }
            for _ in 0..<40 {
                var changed = whole
                let place = Int(random.below(UInt64(whole.count)))
                changed[place] ^= UInt8(1 << random.below(8))
                try changed.write(to: url)
                isRefused("with byte \(place) changed")
            }
            try whole.prefix(whole.count - 1).write(to: url)
            isRefused("without its last byte")
            try Data().write(to: url)
            isRefused("emptied")
            try FileManager.default.removeItem(at: url)
            isRefused("removed")
            try whole.write(to: url)
        }
        try StoredBackup(made.folder).verify()
        try made.remove()
    }

    @Test func `a log that is damaged is not saved, and without a usable snapshot nothing is that was trimmed`() async throws {
        let damaged = try await Made()
        damaged.logs.damage(20, of: .commits(ShardID(1))) { $0[30] ^= 1 }
        await #expect(throws: (any Error).self) { _ = try await damaged.save() }
        try damaged.remove()
        let trimmed = try await Made()
        try await trimmed.logs.trim(.commits(ShardID(0)), below: 36)
        await #expect(throws: BackupError.self) { _ = try await trimmed.save() }
        #expect(throws: BackupError.self) { _ = try StoredBackup(trimmed.folder) }
        try trimmed.remove()
    }
}
