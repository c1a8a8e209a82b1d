internal import Model

/// The fields of regular consumption: how long what was bought lasts.
struct ConsumptionReader {
    let fields: Fields
    let report: Report
    let goods: Goods
    let table: (Value, String) -> Source?

    func read() -> Mechanic? {
        let problems = report.problems.count
        let standard = fields.optional("period").flatMap { report.duration($0, atLeast: 1) }
        var periods: [String: PeriodTable.Row] = [:]
        if let value = fields.optional("periods") { readMap(value, into: &periods) }
        if let value = fields.optional("periods_file") { readFile(value, into: &periods) }
        let ahead = fields.optional("ahead").map { report.duration($0, atLeast: 0) ?? 0 } ?? 0
        let isPerPiece = fields.optional("per_piece").map { report.bool($0) ?? false } ?? false
        guard report.problems.count == problems else { return nil }
        guard standard != nil || !periods.isEmpty else {
            report.add(
                fields.value.place, fields.path("period"),
                "is missing; give a period for all products, periods by product, or a periods_file")
            return nil
        }
        guard periods.count <= Limits.periodsPerRuleMax else {
            report.add(fields.value, "has \(periods.count) periods; at most \(Limits.periodsPerRuleMax) are allowed")
            return nil
        }
        checkAhead(ahead, standard, periods)
        checkGoods(standard, periods)
        guard report.problems.count == problems else { return nil }
        let perProduct = periods.values.map { ProductPeriod(product: $0.product, milliseconds: $0.milliseconds) }
            .sorted { $0.product.utf8.lexicographicallyPrecedes($1.product.utf8) }
        return .regularConsumption(
            ConsumptionPeriods(defaultMilliseconds: standard, perProduct: perProduct, isPerPiece: isPerPiece),
            aheadMilliseconds: ahead)
    }

    private func readMap(_ value: Value, into periods: inout [String: PeriodTable.Row]) {
        guard case .map(let entries) = value.content else {
            report.add(value, "products and their periods are expected, such as { p1: 16d }, not \(value.kind)")
            return
        }
        for entry in entries {
            guard !entry.key.isEmpty, entry.key.utf8.count <= Limits.identifierBytesMax else {
                report.add(entry.keyPlace, entry.value.path, "the product's id has 1 to \(Limits.identifierBytesMax) bytes")
                continue
            }
            guard let milliseconds = report.duration(entry.value, atLeast: 1) else { continue }
            periods[entry.key] = PeriodTable.Row(product: entry.key, milliseconds: milliseconds, place: entry.keyPlace)
        }
    }

    private func readFile(_ value: Value, into periods: inout [String: PeriodTable.Row]) {
        guard let name = report.line(value, bytesMax: 1024), let source = table(value, name) else { return }
        for row in PeriodTable(report: report, field: value.path).read(source) {
            if let first = periods[row.product] {
                report.add(row.place, value.path, "the product '\(row.product)' has two periods; first at \(first.place)")
            } else {
                periods[row.product] = row
            }
        }
    }

    private func checkAhead(_ ahead: Int64, _ standard: Int64?, _ periods: [String: PeriodTable.Row]) {
        guard let value = fields.optional("ahead"), ahead > 0 else { return }
        if let standard, ahead >= standard {
            report.add(value, "\(DurationText.text(ahead)) is not shorter than the period, \(DurationText.text(standard))")
        }
        let shortest = periods.values.min { ($0.milliseconds, $0.product) < ($1.milliseconds, $1.product) }
        if let shortest, ahead >= shortest.milliseconds {
            report.add(
                value,
                "\(DurationText.text(ahead)) is not shorter than the period of '\(shortest.product)', "
                    + "\(DurationText.text(shortest.milliseconds)) (\(shortest.place))"
            )
        }
    }

    /// Finds periods that never apply, and products that would never be reminded of.
    private func checkGoods(_ standard: Int64?, _ periods: [String: PeriodTable.Row]) {
        guard !goods.products.isEmpty, let value = fields.optional("goods") else { return }
        if standard == nil {
            for product in goods.products where periods[product] == nil {
                report.add(value, "the product '\(product)' has no period; add it to periods, or give a period for all")
            }
        }
        guard goods.categories.isEmpty, goods.brands.isEmpty else { return }
        let products = Set(goods.products)
        for row in periods.values where !products.contains(row.product) {
            report.add(row.place, fields.path("periods"), "'\(row.product)' is not among the rule's goods")
        }
    }
}
