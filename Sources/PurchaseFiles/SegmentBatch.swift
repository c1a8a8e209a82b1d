internal import Model

/// The body of one `POST /v1/batch` as Segment's clients send it: who the customers are, and their orders.
///
/// Message ids come from the customers' and orders' ids: sent again, nothing changes.
package struct SegmentBatch: Sendable {
    private var text = "{\"batch\":["
    package private(set) var count = 0

    package init() {}

    /// Bytes so far.
    package var byteCount: Int { text.utf8.count }

    /// Who made the purchase, with consent to e-mail when there is an address.
    package mutating func identify(_ purchase: Purchase) {
        begin(type: "identify", id: "identify:" + purchase.customerID, purchase)
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
        begin(type: "track", id: "order:" + purchase.orderID, purchase)
        text += ",\"event\":\"Order Completed\",\"properties\":{\"order_id\":\(quoted(purchase.orderID))"
        text += ",\"revenue\":\(purchase.total),\"products\":["
        for (index, line) in purchase.lines.enumerated() {
            if index > 0 { text += "," }
            text += "{\"product_id\":\(quoted(line.product)),\"name\":\(quoted(line.name)),\"quantity\":\(line.quantity)"
            text += ",\"price\":\(line.total.divided(among: line.quantity))}"
        }
        text += "]}}"
    }

    /// The body; the batch goes on as it was.
    package func body() -> [UInt8] { Array((text + "]}").utf8) }

    private mutating func begin(type: String, id: String, _ purchase: Purchase) {
        if count > 0 { text += "," }
        count += 1
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
