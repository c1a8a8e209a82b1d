/// What the person who runs a load test is told: what is wrong, where, what is allowed.
struct LoadError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
