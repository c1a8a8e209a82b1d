internal import Model

/// Writes mechanics so that reading gives them back; what is usual is left out.
struct MechanicWriter {
    let segments: [Segment]

    /// The fields of the rule that belong to its mechanic.
    func lines(_ mechanic: Mechanic) -> [String] { ["mechanic: \(mechanic.name)"] + own(mechanic) }

    private func own(_ mechanic: Mechanic) -> [String] {
        switch mechanic {
        case .regularConsumption(let periods, let ahead): consumption(periods, ahead)
        case .timeSinceLastPurchase(let after, let rhythm):
            [Self.time("after", after)] + (rhythm.map { ["rhythm: \($0)%"] } ?? [])
        case .reviewRequest(let after), .abandonedCart(let after): [Self.time("after", after)]
        case .upsell(let after, let offers): Self.delay(after) + Exporter.group("offers", goods(offers))
        case .personalDate(let trait, let daysBefore, let minute): date(trait, daysBefore, minute)
        case .viewedProducts(let times, let within, let after):
            ["times: \(times)", Self.time("in", within), Self.time("after", after)]
        case .segmentEntered(let segment, let after): ["segment: \(segments[Int(segment)].name)"] + Self.delay(after)
        }
    }

    private static func time(_ name: String, _ milliseconds: Int64) -> String { "\(name): \(DurationText.text(milliseconds))" }

    /// Where nothing said means at once.
    private static func delay(_ milliseconds: Int64) -> [String] { milliseconds == 0 ? [] : [time("after", milliseconds)] }

    private func goods(_ goods: Goods) -> [(String, [String])] {
        [("products", goods.products), ("categories", goods.categories), ("brands", goods.brands)]
    }

    private func consumption(_ periods: ConsumptionPeriods, _ ahead: Int64) -> [String] {
        var lines: [String] = []
        if let standard = periods.defaultMilliseconds { lines.append(Self.time("period", standard)) }
        if !periods.perProduct.isEmpty {
            lines.append("periods:")
            lines += periods.perProduct.map { "  \(YAMLText.inline($0.product)): \(DurationText.text($0.milliseconds))" }
        }
        if ahead != 0 { lines.append(Self.time("ahead", ahead)) }
        if periods.isPerPiece { lines.append("per_piece: true") }
        return lines
    }

    private func date(_ trait: String, _ daysBefore: Int64, _ minute: UInt16) -> [String] {
        var lines: [String] = []
        if trait != MechanicReader.usualTrait { lines.append("trait: \(YAMLText.inline(trait))") }
        if daysBefore > 0 { lines.append("before: \(daysBefore)d") }
        if daysBefore < 0 { lines.append("behind: \(-daysBefore)d") }
        if minute != MechanicReader.usualMinute { lines.append("at: \(Exporter.time(Int(minute)))") }
        return lines
    }
}
