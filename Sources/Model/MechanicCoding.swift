// The binary form of mechanics, as part of a rule set.

extension Mechanic {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .regularConsumption(let periods, let ahead):
            writer.byte(1)
            writer.optional(periods.defaultMilliseconds) { $0.signed($1) }
            writer.list(periods.perProduct) { writer, period in
                writer.string(period.product)
                writer.signed(period.milliseconds)
            }
            writer.bool(periods.isPerPiece)
            writer.signed(ahead)
        case .timeSinceLastPurchase(let after, let rhythm):
            writer.byte(2)
            writer.signed(after)
            writer.optional(rhythm) { $0.signed($1) }
        case .reviewRequest(let after):
            writer.byte(3)
            writer.signed(after)
        case .upsell(let after, let offers):
            writer.byte(4)
            writer.signed(after)
            offers.write(to: &writer)
        case .personalDate(let trait, let daysBefore, let minute):
            writer.byte(5)
            writer.string(trait)
            writer.signed(daysBefore)
            writer.fixed(minute)
        case .viewedProducts(let times, let within, let after):
            writer.byte(6)
            writer.signed(times)
            writer.signed(within)
            writer.signed(after)
        case .abandonedCart(let after):
            writer.byte(7)
            writer.signed(after)
        case .segmentEntered(let segment, let after):
            writer.byte(8)
            writer.fixed(segment)
            writer.signed(after)
        }
    }

    static func read(_ reader: inout ByteReader, segments: Int) throws(FormatError) -> Mechanic {
        let start = reader.position
        switch try reader.byte() {
        case 1:
            let periods = ConsumptionPeriods(
                defaultMilliseconds: try reader.optional { r throws(FormatError) in try r.signed() },
                perProduct: try reader.list(max: Limits.periodsPerRuleMax) { r throws(FormatError) in
                    ProductPeriod(product: try r.string(), milliseconds: try r.signed())
                },
                isPerPiece: try reader.bool())
            return .regularConsumption(periods, aheadMilliseconds: try reader.signed())
        case 2:
            return .timeSinceLastPurchase(
                afterMilliseconds: try reader.signed(),
                rhythmPercent: try reader.optional { r throws(FormatError) in try r.signed() })
        case 3: return .reviewRequest(afterMilliseconds: try reader.signed())
        case 4: return .upsell(afterMilliseconds: try reader.signed(), offers: try Goods.read(&reader))
        case 5:
            return .personalDate(trait: try reader.string(), daysBefore: try reader.signed(), minute: try reader.fixed())
        case 6:
            return .viewedProducts(
                times: try reader.signed(), within: try reader.signed(), afterMilliseconds: try reader.signed())
        case 7: return .abandonedCart(afterMilliseconds: try reader.signed())
        case 8: return .segmentEntered(try reader.index(below: segments), afterMilliseconds: try reader.signed())
        default: throw FormatError(.invalid("mechanic"), at: start)
        }
    }
}
