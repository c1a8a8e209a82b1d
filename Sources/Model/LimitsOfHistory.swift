// Bounds of the history role (I8).
extension Limits {
    /// How long history is kept, in days.
    package static let historyDaysDefault = 400
    package static let historyDaysMax = 3660
    /// Of a list of products, of traits, or the provider's words in one row.
    package static let historyTextBytesMax = 400
    /// Rows of one answer.
    package static let historyPageMax = 500
    /// Keys whose rows one answer puts together: a customer and those that were merged into it, one way or another.
    package static let historyKeysMax = 64
    /// Rows of each table that are too old and go in one transaction.
    package static let historyRowsDroppedAtOnce = 1000
    /// Commits, and rows, after which a transaction ends.
    package static let historyCommitsAtOnce = 64
    package static let historyRowsAtOnce = 8192
    /// Copies that may hold the logs, numbered from 0, and how often each says how far it is.
    package static let historyCopiesMax: UInt8 = 4
    package static let historyRegistersMilliseconds: Int64 = 15_000
    /// A history copy holds a LOG or IN only while the log is filled to less than this share of its bound (percent): below
    /// where the worker or the gateway takes notice.
    package static let historyHoldsPercentMax: UInt64 = 50
}
