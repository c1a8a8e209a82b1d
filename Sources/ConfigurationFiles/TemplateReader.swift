internal import Model
internal import Templates

/// The section `templates`: each part is read as a template at once, so that no message finds the mistake.
struct TemplateReader {
    private static let fields = ["name", "from", "subject", "text", "html"]

    /// What the engine offers to a message; `customer.` may be followed by any trait.
    static let variables = [
        "customer.id", "customer.email", "customer.first_name", "customer.last_name", "customer.name", "product.id",
        "product.name",
        "product.category", "order.id", "order.total", "order.currency", "rule.name", "rule.title",
    ]

    let report: Report
    /// By file name.
    let sources: [String: Source]

    /// All templates that could be read, and the names of all that were given.
    func read(_ values: [Value]) -> (templates: [MessageTemplate], names: Set<String>) {
        var templates: [MessageTemplate] = []
        var places: [String: Place] = [:]
        for value in values {
            guard let fields = Fields(value, allowed: Self.fields, report: report) else { continue }
            let name = fields.required("name").flatMap { name -> String? in
                guard let text = report.name(name) else { return nil }
                if let first = places[text] {
                    report.add(name, "the template '\(text)' is given twice; first at \(first)")
                    return nil
                }
                places[text] = value.place
                return text
            }
            let from = fields.required("from").flatMap(sender)
            let subject = fields.required("subject").flatMap(subject)
            let text = fields.required("text").flatMap(part)
            let html = fields.optional("html").map(part) ?? ""
            if let name, let from, let subject, let text, let html {
                templates.append(MessageTemplate(name: name, subject: subject, text: text, html: html, from: from))
            }
        }
        return (templates, Set(places.keys))
    }

    private func subject(_ value: Value) -> String? {
        guard let text = report.text(value, bytesMax: 2048) else { return nil }
        guard !text.contains(where: \.isNewline) else {
            report.add(value, "must be one line")
            return nil
        }
        return check(text, value) ? text : nil
    }

    private func part(_ value: Value) -> String? {
        guard let text = report.text(value, bytesMax: Limits.templateBytesMax) else { return nil }
        return check(text, value) ? text : nil
    }

    private func check(_ text: String, _ value: Value) -> Bool {
        let template: Template
        do throws(TemplateError) {
            template = try Template.parse(text)
        } catch {
            let (place, exact) = place(line: error.line, column: error.column, of: value)
            report.add(
                place, value.path, exact || error.line == 1 ? error.message : "line \(error.line) of the text: \(error.message)")
            return false
        }
        var valid = true
        for variable in template.variables where !Self.isOffered(variable.path) {
            let suggestion = Suggestion.text(for: variable.path, among: Self.variables)
            let place = place(line: variable.line, column: variable.column, of: value).place
            report.add(
                place, value.path,
                "no message has '\(variable.path)'\(suggestion.isEmpty ? ";" : suggestion) "
                    + "there are \(Self.variables.joined(separator: ", ")), and customer.<trait>"
            )
            valid = false
        }
        return valid
    }

    private static func isOffered(_ path: String) -> Bool {
        variables.contains(path) || path.hasPrefix("customer.") || ["customer", "product", "order", "rule"].contains(path)
    }

    /// Where a place of a text stands in its file; exact for block texts and for texts of one line.
    private func place(line: Int, column: Int, of value: Value) -> (place: Place, exact: Bool) {
        guard let source = sources[value.place.file], case .scalar(let text, let style) = value.content else {
            return (value.place, false)
        }
        let at = value.place
        switch style {
        case .literal:
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let index = at.line - 1 + line
            guard lines.indices.contains(line - 1), source.lines.indices.contains(index) else { return (at, false) }
            let indent = source.lines[index].unicodeScalars.count - lines[line - 1].unicodeScalars.count
            return (source.place(index + 1, max(0, indent) + column), true)
        case .plain where line == 1: return (source.place(at.line, at.column + column - 1), true)
        case .quoted where line == 1: return (source.place(at.line, at.column + column), true)
        default: return (at, false)
        }
    }

    /// `Name <address>` or an address.
    private func sender(_ value: Value) -> String? {
        guard let text = report.line(value) else { return nil }
        var address = text[...]
        if let open = text.firstIndex(of: "<") {
            address = text[text.index(after: open)...]
            guard address.hasSuffix(">") else {
                report.add(value, "'\(text)' is no sender; write \"Shop <shop@example.com>\"")
                return nil
            }
            address.removeLast()
        }
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        let isAddress =
            parts.count == 2
            && parts.allSatisfy { part in
                !part.isEmpty && !part.hasPrefix(".") && !part.hasSuffix(".") && !part.contains("..")
                    && part.utf8.allSatisfy { (0x21...0x7e).contains($0) && !"<>()[],;:\"\\".utf8.contains($0) }
            }
        guard isAddress else {
            report.add(value, "'\(address)' is no e-mail address; write shop@example.com or \"Shop <shop@example.com>\"")
            return nil
        }
        return text
    }
}
