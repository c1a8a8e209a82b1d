/// Why a whole request was refused; it becomes the answer.
package struct Refusal: Error, Equatable, Sendable {
    package let status: Int
    /// A word that clients can tell apart.
    package let code: String
    package let message: String
    /// When to come again.
    package let retryAfterSeconds: Int?

    package init(_ status: Int, _ code: String, _ message: String, retryAfterSeconds: Int? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.retryAfterSeconds = retryAfterSeconds
    }
}

/// One event of a batch that was not accepted.
package struct Rejection: Equatable, Sendable {
    /// Position in the batch, from 0.
    package let index: Int
    package let error: FieldError
}
