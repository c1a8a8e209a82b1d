internal import Model

/// Finds segments by the names that rules give them.
struct SegmentNames {
    let report: Report
    let segments: [Segment]
    /// Those that could not be read, too: what is wrong with them is reported once.
    let known: Set<String>

    /// Its place among the segments; nil after reporting.
    func index(_ value: Value) -> UInt16? {
        guard let name = report.name(value) else { return nil }
        if let index = segments.firstIndex(where: { $0.name == name }) { return UInt16(index) }
        if !known.contains(name) { report.add(value, SegmentCompiler.unknown(name, among: Array(known))) }
        return nil
    }

    /// Of a list, none of them twice.
    func indices(_ value: Value?) -> [UInt16] {
        guard let value, let items = report.list(value, max: Limits.segmentsMax) else { return [] }
        var indices: [UInt16] = []
        for item in items {
            guard let index = index(item) else { continue }
            if indices.contains(index) {
                report.add(item, "'\(segments[Int(index)].name)' is named twice")
            } else {
                indices.append(index)
            }
        }
        return indices
    }
}
