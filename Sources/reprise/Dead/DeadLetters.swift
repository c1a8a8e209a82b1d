import Foundation
import Model
import Ports

/// DEAD as commands read and write it.
struct DeadLetters: Sendable {
    private let logs: any LogStore

    init(_ cluster: Cluster) { logs = cluster.logs }

    /// All that DEAD holds now.
    func read() async throws -> DeadLetterBook { try await readWithEnd().book }

    func letter(_ text: String) async throws -> DeadLetterBook.Letter { try Self.letter(text, in: try await read()) }

    static func letter(_ text: String, in book: DeadLetterBook) throws -> DeadLetterBook.Letter {
        guard let id = DeadLetterID(text: text) else {
            throw CommandError("'\(text)': a shard and a number are wanted, as 12.7; see `reprise dead list`")
        }
        guard let letter = book[id] else { throw CommandError("nothing was set aside as \(id); see `reprise dead list --all`") }
        return letter
    }

    /// Writes down that those of them that wait are discarded, and returns when DEAD says so.
    func discard(_ ids: [DeadLetterID], reason: String) async throws {
        while true {
            let (book, end) = try await readWithEnd()
            let waiting = ids.filter { book[$0]?.state == .waiting }
            guard !waiting.isEmpty else { return }
            let now = Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
            let entries = waiting.prefix(Self.atOnce).map { DeadEntry.discarded($0, at: now, reason: reason) }
            do throws(LogError) {
                _ = try await logs.append(to: .deadLetters, DeadRecord(entries).encoded(), expecting: end)
            } catch {
                // Another wrote meanwhile, or nobody said whether this was written: what DEAD holds tells.
                guard error.code == .refused || error.code == .ambiguous else { throw CommandError("DEAD: \(error)") }
            }
        }
    }

    private static let atOnce = 1000

    private func readWithEnd() async throws -> (book: DeadLetterBook, end: UInt64) {
        while true {
            // Trimmed while it was read: what waits stands further on.
            if let found = try await readOnce() { return found }
        }
    }

    private func readOnce() async throws -> (book: DeadLetterBook, end: UInt64)? {
        do {
            var book = DeadLetterBook()
            let end = try await logs.last(of: .deadLetters)?.sequence ?? 0
            let first = max(try await logs.state(of: .deadLetters).first, 1)
            guard first <= end else { return (book, end) }
            let reader = try await logs.read(.deadLetters, from: first)
            defer { reader.close() }
            var position = first - 1
            while position < end {
                for record in try await reader.next(max: 64) where record.sequence <= end {
                    book.add(try DeadRecord.decoded(record.payload))
                    position = record.sequence
                }
            }
            return (book, end)
        } catch let error as LogError {
            if case .trimmed = error.code { return nil }
            throw CommandError("DEAD cannot be read: \(error)")
        }
    }
}
