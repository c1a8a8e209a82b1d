/// A message's part, read once and rendered for each recipient: the subset that Twig and Liquid share.
///
/// It reads no files, includes nothing, and ends: every rendering is bounded (``RenderLimits``).
package struct Template: Equatable, Sendable {
    private let nodes: [Node]
    /// Byte offsets at which lines begin.
    private let source: SourceMap
    /// What the context must offer, in order of appearance; what loops bind is not among it.
    package let variables: [TemplateVariable]

    private init(nodes: [Node], source: SourceMap, variables: [TemplateVariable]) {
        self.nodes = nodes
        self.source = source
        self.variables = variables
    }

    /// Reads a template of at most ``Limits/templateBytesMax`` bytes.
    package static func parse(_ source: String) throws(TemplateError) -> Template {
        let bytes = Array(source.utf8)
        guard bytes.count <= RenderLimits.sourceBytesMax else {
            throw TemplateError(
                .limit, line: 1, column: 1,
                "the template has \(bytes.count) bytes; at most \(RenderLimits.sourceBytesMax) are allowed")
        }
        let map = SourceMap(bytes)
        do throws(Fault) {
            let tree = try TemplateParser.parse(bytes)
            let variables = tree.free.map { path in
                let place = map.place(of: path.offset)
                return TemplateVariable(path: path.text, line: place.line, column: place.column)
            }
            return Template(nodes: tree.nodes, source: map, variables: variables)
        } catch {
            throw map.error(error)
        }
    }

    /// The text for one recipient. Throws, and renders nothing, when a variable without default has no value.
    package func render(_ context: TemplateValue, escape: Escape, limits: RenderLimits = RenderLimits()) throws(TemplateError)
        -> String
    {
        do throws(Fault) {
            return try Renderer.render(nodes, root: context, escape: escape, limits: limits)
        } catch {
            throw source.error(error)
        }
    }

    /// A header's value, a subject for instance: unescaped, one line, not empty.
    package func renderLine(_ context: TemplateValue, limits: RenderLimits = RenderLimits()) throws(TemplateError) -> String {
        let line = HeaderLine.single(try render(context, escape: .none, limits: limits))
        guard !line.isEmpty else { throw TemplateError(.value, line: 1, column: 1, "the line is empty") }
        return line
    }
}

/// A variable that a template names, and where.
package struct TemplateVariable: Equatable, Sendable {
    /// `customer.first_name`.
    package let path: String
    package let line: Int
    package let column: Int
}

/// Turns byte offsets into lines and columns.
struct SourceMap: Equatable, Sendable {
    private let bytes: [UInt8]
    private let lineStarts: [Int]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        lineStarts = [0] + bytes.indices.filter { bytes[$0] == 0x0a }.map { $0 + 1 }
    }

    /// From 1; the column in Unicode scalars.
    func place(of offset: Int) -> (line: Int, column: Int) {
        var line = 0
        var end = lineStarts.count
        while end - line > 1 {
            let middle = (line + end) / 2
            if lineStarts[middle] <= offset { line = middle } else { end = middle }
        }
        let before = bytes[lineStarts[line]..<min(offset, bytes.count)]
        return (line + 1, before.count { $0 & 0xc0 != 0x80 } + 1)
    }

    func error(_ fault: Fault) -> TemplateError {
        let place = place(of: fault.offset)
        return TemplateError(fault.code, line: place.line, column: place.column, fault.message)
    }
}
