/// What the reply subject of a message that JetStream delivers says about it:
/// `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream sequence>.<consumer sequence>.<nanoseconds>.<pending>`, with domain and
/// account hash behind `ACK`, and perhaps a token at the end, in the longer form.
struct DeliverySubject: Equatable {
    /// The digits that end the consumer's name.
    let consumer: UInt64
    let sequence: UInt64
    /// When the stream took it, since 1970.
    let timeNanoseconds: Int64
    /// Messages behind this one in the stream.
    let pending: UInt64

    init(consumer: UInt64, sequence: UInt64, timeNanoseconds: Int64, pending: UInt64) {
        self.consumer = consumer
        self.sequence = sequence
        self.timeNanoseconds = timeNanoseconds
        self.pending = pending
    }

    /// The same with another time.
    func at(_ timeNanoseconds: Int64) -> DeliverySubject {
        DeliverySubject(consumer: consumer, sequence: sequence, timeNanoseconds: timeNanoseconds, pending: pending)
    }

    /// Nil when it is no such subject.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        let prefix: StaticString = "$JS.ACK."
        guard bytes.count > prefix.utf8CodeUnitCount else { return nil }
        for index in 0..<prefix.utf8CodeUnitCount where unsafe bytes[index] != prefix.utf8Start[index] { return nil }
        // Starts of the tokens, and the end of the last one; more than 12 tokens are none of ours.
        var starts = InlineArray<14, Int>(repeating: 0)
        var count = 1
        for index in 0..<bytes.count where unsafe bytes[index] == 0x2e {
            guard count < 13 else { return nil }
            starts[count] = index + 1
            count += 1
        }
        starts[count] = bytes.count + 1
        let first: Int
        switch count {
        case 9: first = 2
        case 11, 12: first = 4
        default: return nil
        }
        func token(_ offset: Int) -> Range<Int> { starts[first + offset]..<(starts[first + offset + 1] - 1) }
        let name = token(1)
        guard let consumer = unsafe Decimal.trailing(UnsafeBufferPointer(rebasing: bytes[name])),
            let sequence = unsafe Decimal.number(bytes, token(3)),
            let time = unsafe Decimal.number(bytes, token(5)), let timeNanoseconds = Int64(exactly: time),
            let pending = unsafe Decimal.number(bytes, token(6))
        else { return nil }
        self.init(consumer: consumer, sequence: sequence, timeNanoseconds: timeNanoseconds, pending: pending)
    }
}
