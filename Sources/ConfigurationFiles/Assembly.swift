internal import Model

/// Brings the sections of all files together and compiles them.
struct Assembly {
    private static let sections = ["installation", "segments", "templates", "rules"]

    private let report: Report
    private let bytes: (String) -> Result<[UInt8], FileFinder.Fault>
    private var sources: [String: Source] = [:]
    private var installation: Value?
    private var segments: [Value] = []
    private var templates: [Value] = []
    private var rules: [Value] = []
    private var firstFile: Place?

    init(report: Report, bytes: @escaping (String) -> Result<[UInt8], FileFinder.Fault>) {
        self.report = report
        self.bytes = bytes
    }

    mutating func add(_ name: String, order: Int) {
        let whole = Place(file: name, line: 0, column: 0, order: order)
        firstFile = firstFile ?? whole
        guard let source = source(name, order: order, reportedAt: whole, field: "") else { return }
        sources[name] = source
        guard let root = Tree.read(source, report: report), !root.isNull,
            let fields = Fields(root, allowed: Self.sections, report: report)
        else { return }
        if let value = fields.optional("installation") {
            if let first = installation {
                report.add(value, "is given twice; first at \(first.place)")
            } else {
                installation = value
            }
        }
        for (name, max) in [("segments", Limits.segmentsMax), ("templates", Limits.templatesMax), ("rules", Limits.rulesMax)] {
            guard let value = fields.optional(name), let items = report.list(value, max: max) else { continue }
            switch name {
            case "segments": segments += items
            case "templates": templates += items
            default: rules += items
            }
        }
    }

    private func source(_ name: String, order: Int, reportedAt place: Place, field: String) -> Source? {
        switch bytes(name) {
        case .success(let bytes):
            return Source(name: name, order: order, bytes: bytes, bytesMax: Limits.configurationFileBytesMax, report: report)
        case .failure(let fault):
            report.add(place, field, field.isEmpty ? fault.message : "'\(name)': \(fault.message)")
            return nil
        }
    }

    /// The rule set; of use only when nothing was reported.
    func finish() -> RuleSet {
        let settings: Settings
        if let installation {
            settings = Settings.read(installation, report: report)
        } else if !report.problems.isEmpty {
            // It may stand in what could not be read.
            settings = Settings()
        } else {
            settings = Settings()
            report.add(
                firstFile ?? Place(file: "", line: 0, column: 0, order: 0), "installation",
                "is missing in all files; it says currency and time_zone")
        }
        for (values, name, max) in [
            (segments, "segments", Limits.segmentsMax), (templates, "templates", Limits.templatesMax),
            (rules, "rules", Limits.rulesMax),
        ] where values.count > max {
            report.add(values[max], "\(values.count) \(name) in all files; at most \(max) are allowed")
        }
        let compiled = SegmentCompiler.compile(segments, settings: settings, report: report)
        let messages = TemplateReader(report: report, sources: sources).read(templates)
        let reader = RuleReader(
            report: report,
            segments: SegmentNames(report: report, segments: compiled.segments, known: compiled.names),
            remembered: Remembered(memory: settings.memory, report: report), templateNames: messages.names, table: table)
        let set = RuleSet(
            currency: settings.currency, currencyDigits: UInt8(settings.digits), fulfilledOnPlaced: settings.fulfilledOnPlaced,
            consentAssumed: settings.consentAssumed, zone: settings.zone, otherZones: settings.otherZones,
            memory: settings.memory,
            contactLimits: settings.contactLimits, segments: compiled.segments, rules: reader.read(rules),
            templates: messages.templates)
        if report.problems.isEmpty { checkSize(set) }
        return set
    }

    private func table(_ value: Value, _ name: String) -> Source? {
        guard let beside = sources[value.place.file] else { return nil }
        return source(beside.neighbour(name), order: value.place.order, reportedAt: value.place, field: value.path)
    }

    private func checkSize(_ set: RuleSet) {
        let size = set.encoded().count
        guard size > Limits.configurationBytesMax, let firstFile else { return }
        report.add(firstFile, "", "all files together take \(size) bytes; at most \(Limits.configurationBytesMax) are allowed")
    }
}
