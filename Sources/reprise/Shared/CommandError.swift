/// What a person who called a command is told, in one line: what is wrong, where, what is allowed.
struct CommandError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
