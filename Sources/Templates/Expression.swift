/// A value as a template writes it.
indirect enum Expression: Equatable, Sendable {
    /// Nil = the word `nil`.
    case literal(TemplateValue?)
    case variable(VariablePath)
    case filtered(Expression, FilterCall)
    case relation(Expression, Relation, Expression, at: Int)
    case both(Expression, Expression)
    case either(Expression, Expression)
    case not(Expression)
    case test(Expression, Test)
}

/// `a.b[0]`.
struct VariablePath: Equatable, Sendable {
    enum Step: Equatable, Sendable {
        case key(String)
        case index(Int)
    }

    var name: String
    var steps: [Step]
    /// Byte offset in the template.
    var offset: Int

    /// As people write it.
    var text: String {
        steps.reduce(name) { text, step in
            switch step {
            case .key(let key): text + "." + key
            case .index(let index): text + "[\(index)]"
            }
        }
    }
}

enum Relation: Equatable, Sendable {
    case equal, notEqual, less, atMost, greater, atLeast
    /// Left is or has right: a part of a text, an item of a list.
    case contains

    init?(symbol: String) {
        switch symbol {
        case "==": self = .equal
        case "!=": self = .notEqual
        case "<": self = .less
        case "<=": self = .atMost
        case ">": self = .greater
        case ">=": self = .atLeast
        default: return nil
        }
    }
}

/// `is defined`, `is empty`.
enum Test: Equatable, Sendable {
    case defined, empty
}

struct FilterCall: Equatable, Sendable {
    var filter: Filter
    var arguments: [Expression]
    var offset: Int
}

/// A part of a template.
indirect enum Node: Equatable, Sendable {
    case text(String)
    case output(Expression, at: Int)
    case branches([Branch], otherwise: [Node])
    case loop(Loop)
}

struct Branch: Equatable, Sendable {
    var condition: Expression
    var body: [Node]
}

struct Loop: Equatable, Sendable {
    var variable: String
    var list: Expression
    var body: [Node]
    /// When the list is empty.
    var otherwise: [Node]
    var offset: Int
}
