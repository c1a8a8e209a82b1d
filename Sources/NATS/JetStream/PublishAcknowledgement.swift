/// What JetStream answers to a message that it stored.
package struct PublishAcknowledgement: Equatable, Sendable {
    package let sequence: UInt64
    /// A message of this id was stored before: `sequence` is that one's.
    package let duplicate: Bool

    /// Reads `{"stream":"S","seq":7}` and its kin; throws `api` when an error stands in its place.
    static func parse(_ bytes: [UInt8], from subject: String) throws(NATSError) -> PublishAcknowledgement {
        if let sequence = fastSequence(bytes) { return PublishAcknowledgement(sequence: sequence, duplicate: false) }
        let answer = try JSONForm.decode(bytes, as: Answer.self, from: subject)
        return PublishAcknowledgement(sequence: answer.seq, duplicate: answer.duplicate ?? false)
    }

    private struct Answer: Decodable {
        let seq: UInt64
        let duplicate: Bool?

        private enum CodingKeys: String, CodingKey { case seq, duplicate, error }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            if container.contains(.error) {
                throw DecodingError.dataCorruptedError(forKey: .error, in: container, debugDescription: "an error")
            }
            seq = try container.decode(UInt64.self, forKey: .seq)
            duplicate = try container.decodeIfPresent(Bool.self, forKey: .duplicate)
        }
    }

    /// The common form, `…,"seq":7}` or `…, "seq":7}` at the very end, without a JSON reader.
    private static func fastSequence(_ bytes: [UInt8]) -> UInt64? {
        guard bytes.last == 0x7d else { return nil }
        let end = bytes.count - 1
        var start = end
        while start > 0, (0x30...0x39).contains(bytes[start - 1]) { start -= 1 }
        let key: StaticString = "\"seq\":"
        let before = start - key.utf8CodeUnitCount
        guard start < end, before >= 0 else { return nil }
        for index in 0..<key.utf8CodeUnitCount where unsafe bytes[before + index] != key.utf8Start[index] { return nil }
        return unsafe bytes.withUnsafeBufferPointer { unsafe Decimal.number($0, start..<end) }
    }
}
