import Foundation
import Model
import PurchaseFiles

/// Timelines and decisions for a terminal.
struct HistoryText {
    let currency: String
    let digits: Int
    /// Names by ``RuleID`` number.
    let rules: [UInt32: String]

    init(_ rules: RuleSet?) {
        currency = rules?.currency ?? ""
        digits = Int(rules?.currencyDigits ?? 2)
        self.rules = Dictionary((rules?.rules ?? []).map { ($0.id.number, $0.name) }) { first, _ in first }
    }

    func timeline(_ page: TimelinePage) -> String {
        var table = TextTable([("WHEN", .left), ("WHAT", .left), ("ORDER", .left), ("AMOUNT", .right), ("", .left)])
        for row in page.rows {
            var more = [row.products, row.text].filter { !$0.isEmpty }
            if row.customer != page.customer { more.append("as \(row.customer)") }
            if !row.note.isEmpty { more.append("set aside: \(row.note)") }
            table.row([
                Self.time(row.timeMilliseconds), row.kind, row.order, row.amount.map { Figures.money($0, digits: digits) } ?? "",
                more.joined(separator: "; "),
            ])
        }
        return text(page.customer, page.merged, page.rows.isEmpty ? "nothing happened" : table.text, page.next, page.reach)
    }

    func decisions(_ page: DecisionsPage) -> String {
        text(page.customer, page.merged, page.rows.isEmpty ? "nothing was decided" : table(page.rows), page.next, page.reach)
    }

    func drill(_ page: DrillPage, figure: HistoryFigure) -> String {
        let total = figure == .revenue ? Figures.money(page.total, digits: digits) + " " + currency : Figures.count(page.total)
        return ["\(figure.rawValue): \(total), in \(Figures.count(page.count)) decisions", "", table(page.rows)]
            .joined(separator: "\n") + rest(page.next, page.reach)
    }

    private func table(_ rows: [DecisionsPage.Row]) -> String {
        var table = TextTable([
            ("WHEN", .left), ("WHAT", .left), ("RULE", .left), ("ACTION", .left), ("CUSTOMER", .left),
            ("WHY, OR WHAT FOR", .left),
        ])
        for row in rows {
            var why = [row.outcome ?? "", row.reason, row.text].filter { !$0.isEmpty }
            if let until = row.untilMilliseconds { why.append("until \(Self.time(until))") }
            if !row.order.isEmpty { why.append("order \(row.order): \(Figures.money(row.revenue, digits: digits)) \(currency)") }
            if why.isEmpty, let channel = row.channel { why.append(channel) }
            table.row([
                Self.time(row.timeMilliseconds), row.kind, row.rule == 0 ? "" : rules[row.rule] ?? String(row.rule), row.action,
                row.customer, why.joined(separator: "; "),
            ])
        }
        return table.text
    }

    private func text(_ customer: String, _ merged: [String], _ body: String, _ next: String?, _ reach: HistoryReach) -> String {
        var lines = [customer]
        if !merged.isEmpty { lines.append("with what happened as \(merged.joined(separator: ", "))") }
        return (lines + ["", body]).joined(separator: "\n") + rest(next, reach)
    }

    private func rest(_ next: String?, _ reach: HistoryReach) -> String {
        var lines: [String] = []
        if let next { lines.append("more: --after \(next)") }
        lines.append(Self.reach(reach))
        for gap in reach.gaps {
            lines.append("missing: \(gap.log) \(gap.first) to \(gap.last) were trimmed before they were read")
        }
        lines += reach.problems
        return "\n\n" + lines.joined(separator: "\n")
    }

    /// What the answer is about: a figure of a longer time than history is kept cannot come to the same.
    private static func reach(_ reach: HistoryReach) -> String {
        let until = "through \(time(reach.untilMilliseconds))"
        guard reach.sinceMilliseconds > Instant.distantPast.milliseconds else { return "history: all of it, \(until)" }
        return "history: from \(time(reach.sinceMilliseconds)), what is older is kept no more, \(until)"
    }

    private static func time(_ milliseconds: Int64) -> String { CalendarDate.text(Instant(milliseconds: milliseconds)) }
}
