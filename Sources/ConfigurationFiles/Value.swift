/// A value of a file with its place and the path to it.
struct Value {
    enum Content {
        case scalar(String, Style)
        case list([Value])
        case map([Entry])
    }

    enum Style {
        /// Without quotes: `~`, `null` and nothing at all mean "no value".
        case plain
        case quoted
        /// `|`: its lines are the file's lines.
        case literal
        case folded
    }

    struct Entry {
        var key: String
        var keyPlace: Place
        var value: Value
    }

    var content: Content
    var place: Place
    /// `rules[0].mechanic`
    var path: String

    /// Nothing was written.
    var isNull: Bool {
        if case .scalar(let text, .plain) = content { ["", "~", "null", "Null", "NULL"].contains(text) } else { false }
    }

    /// What it is, for messages.
    var kind: String {
        switch content {
        case .scalar(let text, _): isNull ? "nothing" : "'\(text.count > 40 ? text.prefix(40) + "…" : text)'"
        case .list: "a list"
        case .map: "a group of fields"
        }
    }
}
