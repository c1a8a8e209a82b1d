/// A promise that was not kept: which one, and where it shows. For people; a run with one has failed.
package struct Violation: Error, Hashable, CustomStringConvertible, Sendable {
    /// The invariant or the checker, in a word or two.
    package let promise: String
    package let what: String

    package init(_ promise: String, _ what: String) {
        self.promise = promise
        self.what = what
    }

    package var description: String { promise + ": " + what }
}
