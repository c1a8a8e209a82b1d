internal import Model

/// The body of one `POST /v1/batch` as Segment's clients send it: who the customers are, and their orders.
///
/// Message ids come from the customers' and orders' ids: sent again, nothing changes.
package struct SegmentBatch: Sendable {
    package enum Kind: Sendable { case identify, order }

    private var text = "{\"batch\":["
    /// Of each event in it: the purchase it stands for.
    package private(set) var events: [(kind: Kind, row: Int, customerID: String)] = []

    package init() {}

    package var count: Int { events.count }

    /// Who made the purchase, with consent to e-mail when there is an address.
    package mutating func identify(_ purchase: Purchase) {
        begin(.identify, type: "identify", id: "identify:" + purchase.customerID, purchase)
        text += ",\"traits\":{"
        var separator = ""
        if !purchase.email.isEmpty {
            text += "\"email\":\(quoted(purchase.email)),\"consent\":{\"email\":true}"
            separator = ","
        }
        if !purchase.firstName.isEmpty { text += "\(separator)\"firstName\":\(quoted(purchase.firstName))" }
        text += "}}"
    }

    package mutating func orderCompleted(_ purchase: Purchase) {
        begin(.order, type: "track", id: "order:" + purchase.orderID, purchase)
        text += ",\"event\":\"Order Completed\",\"properties\":{\"order_id\":\(quoted(purchase.orderID))"
        text += ",\"revenue\":\(purchase.total),\"products\":["
        for (index, line) in purchase.lines.filter({ !$0.product.isEmpty }).enumerated() {
            if index > 0 { text += "," }
            text += "{\"product_id\":\(quoted(line.product)),\"name\":\(quoted(line.name)),\"quantity\":\(line.quantity)"
            text += ",\"price\":\(line.total.divided(among: line.quantity))}"
        }
        text += "]}}"
    }

    /// The body; the batch goes on as it was.
    package func body() -> [UInt8] { Array((text + "]}").utf8) }

    private mutating func begin(_ kind: Kind, type: String, id: String, _ purchase: Purchase) {
        if count > 0 { text += "," }
        events.append((kind, purchase.row, purchase.customerID))
        text += "{\"type\":\"\(type)\",\"messageId\":\"\(String(Hashing.hash128(id), radix: 16))\""
        text += ",\"userId\":\(quoted(purchase.customerID)),\"timestamp\":\"\(CalendarDate.text(purchase.time))\""
    }

    private func quoted(_ value: String) -> String {
        var result = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                result += "\\u00" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
