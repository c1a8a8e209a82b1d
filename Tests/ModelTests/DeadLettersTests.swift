import Model
import Testing

@Suite struct DeadLettersTests {
    private func letter(_ shard: UInt16, commit: UInt64, _ index: UInt32 = 0, number: UInt64) -> DeadEntry {
        .setAside(
            DeadEntryOrigin(shard: ShardID(shard), commit: commit, index: index),
            SetAside(number: number, inputSequence: 4, index: 2, arrived: Instant(milliseconds: 7), reason: "r", message: [1, 2]))
    }

    private func id(_ shard: UInt16, _ number: UInt64) -> DeadLetterID { DeadLetterID(shard: ShardID(shard), number: number) }

    @Test func `records of every kind come back; damage and unknown versions are found`() throws {
        let record = DeadRecord([
            letter(3, commit: 9, number: 1),
            .replayed(DeadEntryOrigin(shard: ShardID(3), commit: 12, index: 1), number: 1),
            .discarded(id(2, 5), at: Instant(milliseconds: 99), reason: "not wanted"),
            .carried(DeadEntryOrigin(shard: ShardID(4), commit: 80, index: 2)),
        ])
        let bytes = record.encoded()
        #expect(try DeadRecord.decoded(bytes) == record)
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 1
            #expect(throws: FormatError.self) { try DeadRecord.decoded(damaged) }
        }
    }

    @Test func `ids are written and read`() {
        #expect(DeadLetterID(text: "12.7") == id(12, 7) && id(12, 7).description == "12.7")
        for text in ["", "12", "12.", ".7", "12.0", "1.2.3", "a.b", "70000.1", "-1.2"] {
            #expect(DeadLetterID(text: text) == nil)
        }
    }

    @Test func `I7 the book: what the shard did stands above what a person wrote`() {
        var book = DeadLetterBook()
        book.add(
            DeadRecord([letter(1, commit: 5, number: 1), letter(1, commit: 5, 1, number: 2), letter(0, commit: 9, number: 1)]))
        book.add(DeadRecord([.discarded(id(1, 2), at: Instant(milliseconds: 1), reason: "why")]))
        #expect(book.all.map(\.id) == [id(0, 1), id(1, 1), id(1, 2)])
        #expect(book[id(1, 2)]?.state == .discarded(at: Instant(milliseconds: 1), reason: "why"))
        book.add(DeadRecord([.replayed(DeadEntryOrigin(shard: ShardID(1), commit: 6, index: 0), number: 2)]))
        book.add(DeadRecord([.discarded(id(1, 2), at: Instant(milliseconds: 2), reason: "late")]))
        #expect(book[id(1, 2)]?.state == .replayed(commit: 6))
        #expect(book[id(1, 1)]?.state == .waiting && book[id(7, 1)] == nil)
    }

    @Test func `I7 progress: entries that DEAD holds are not missing, others are`() {
        var progress = DeadLetterProgress()
        let first = [letter(1, commit: 5, number: 1), letter(1, commit: 5, 1, number: 2)]
        #expect(progress.missing(first) == first)
        progress.add(DeadRecord([first[0]]), sequence: 1)
        #expect(progress.missing(first) == [first[1]])
        #expect(progress.missing([letter(2, commit: 1, number: 1)]).count == 1, "another shard")
        progress.add(DeadRecord([first[1], .discarded(id(1, 1), at: .distantPast, reason: "x")]), sequence: 2)
        #expect(progress.missing(first + [letter(1, commit: 4, number: 1)]).isEmpty && progress.sequence == 2)
    }
}
