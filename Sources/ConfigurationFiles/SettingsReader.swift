internal import Model

/// The section `installation`.
struct Settings {
    var currency = "USD"
    var digits = 2
    var zone = ZoneTable.utc
    var otherZones: [ZoneTable] = []
    var fulfilledOnPlaced = false
    var consentAssumed = false
    /// Until it was read, so long that no period is too long for it.
    var memory = Memory(
        purchasesMilliseconds: Limits.durationMillisecondsMax, browsingMilliseconds: Limits.durationMillisecondsMax)
    var contactLimits: [ContactLimit] = []

    static let fields = ["currency", "time_zone", "time_zones", "fulfilled", "consent", "remember", "contact"]

    /// What could be read; the rest keeps its default, and is reported.
    static func read(_ value: Value, report: Report) -> Settings {
        var settings = Settings()
        guard let fields = Fields(value, allowed: fields, report: report) else { return settings }
        if let value = fields.required("currency"), let code = report.text(value, bytesMax: 16) {
            if let digits = Currency.digits(of: code) {
                settings.currency = code
                settings.digits = digits
            } else {
                report.add(value, "'\(code)' is no currency of ISO 4217; write three capital letters, for example EUR")
            }
        }
        if let zone = fields.required("time_zone").flatMap({ zone($0, report: report) }) { settings.zone = zone }
        if let value = fields.optional("time_zones") { settings.otherZones = zones(value, report: report) }
        if let value = fields.optional("fulfilled") {
            settings.fulfilledOnPlaced = report.choice(value, ["on_fulfilled": false, "on_placed": true]) ?? false
        }
        if let value = fields.optional("consent") {
            settings.consentAssumed = report.choice(value, ["required": false, "assumed": true]) ?? false
        }
        if let value = fields.optional("remember") {
            if let memory = memory(value, report: report) { settings.memory = memory }
        } else {
            settings.memory = .usual
        }
        if let value = fields.optional("contact") { settings.contactLimits = LimitReader(report: report).contacts(value) }
        return settings
    }

    private static func zone(_ value: Value, report: Report) -> ZoneTable? {
        guard let name = report.text(value, bytesMax: 64) else { return nil }
        if let zone = ZoneCompiler.table(named: name) { return zone }
        let suggestion = Suggestion.text(for: name, among: Array(ZoneCompiler.names))
        report.add(
            value, "'\(name)' is no time zone\(suggestion.isEmpty ? ";" : suggestion) write a name such as Europe/Moscow or UTC")
        return nil
    }

    /// By name ascending.
    private static func zones(_ value: Value, report: Report) -> [ZoneTable] {
        guard let items = report.list(value, max: Limits.zonesMax) else { return [] }
        var zones: [ZoneTable] = []
        for item in items {
            guard let zone = zone(item, report: report) else { continue }
            if zones.contains(where: { $0.name == zone.name }) {
                report.add(item, "'\(zone.name)' is named twice")
            } else {
                zones.append(zone)
            }
        }
        return zones.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    private static func memory(_ value: Value, report: Report) -> Memory? {
        guard let fields = Fields(value, allowed: ["purchases", "browsing"], report: report) else { return nil }
        func time(_ name: String, or usual: Int64) -> Int64? {
            guard let value = fields.optional(name) else { return usual }
            if case .scalar("none", _) = value.content { return 0 }
            return report.duration(value, atLeast: 1)
        }
        let purchases = time("purchases", or: Memory.usual.purchasesMilliseconds)
        let browsing = time("browsing", or: Memory.usual.browsingMilliseconds)
        guard let purchases, let browsing, fields.areKnown else { return nil }
        return Memory(purchasesMilliseconds: purchases, browsingMilliseconds: browsing)
    }
}
