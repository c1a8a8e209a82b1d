internal import Model

/// A log's record as a frame's content: sequence, time, payload.
enum RecordFrame {
    static func encoded(_ record: LogRecord) -> [UInt8] {
        var writer = ByteWriter(reserving: record.payload.count + 24)
        writer.varint(record.sequence)
        writer.instant(record.time)
        writer.block(record.payload)
        return writer.bytes
    }

    static func decoded(_ bytes: [UInt8]) throws(FormatError) -> LogRecord {
        var reader = ByteReader(bytes)
        let record = LogRecord(sequence: try reader.varint(), time: try reader.instant(), payload: try reader.block())
        try reader.finish()
        return record
    }
}
