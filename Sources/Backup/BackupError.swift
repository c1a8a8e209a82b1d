/// What is wrong with a backup, or why it could not be made, in a sentence for people.
package struct BackupError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
