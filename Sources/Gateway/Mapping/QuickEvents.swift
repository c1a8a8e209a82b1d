internal import Model

/// Packs the usual events of a batch straight from their bytes: `track` calls of a known customer. Whatever is unusual it
/// leaves to ``EventMapping``, which says what is wrong with it or maps it; so a call is either packed as that would have
/// it, or not touched.
///
/// Usual is: each name once and without escapes, ids in ASCII, texts without blanks around them, plain decimals, times of
/// ISO 8601, a user id or an anonymous id, and nothing in the contexts that tells who the customer is.
struct QuickEvents {
    private let read: QuickReading
    private let envelope: EventMapping.Envelope
    private var key = ByteWriter(reserving: 64)
    private var identifiers = ByteWriter(reserving: 64)
    private var body = ByteWriter(reserving: 512)
    private var lines = ByteWriter(reserving: 512)

    /// Nil when nothing of the batch can be usual. The envelope's context must be of the same document.
    init?(_ json: JSONBytes, settings: EventMapping.Settings, envelope: EventMapping.Envelope) {
        read = QuickReading(json: json, settings: settings)
        self.envelope = envelope
        if let context = envelope.context, !isPlain(context.index) { return nil }
    }

    /// Where the members of a call stand; 0 = not given.
    private struct Call {
        var type = 0
        var event = 0
        var user = 0
        var anonymous = 0
        var message = 0
        var timestamp = 0
        var original = 0
        var sentAt = 0
        var context = 0
        var properties = 0
        var traits = 0
    }

    /// Appends the call, or says false and appends nothing.
    mutating func append(_ index: Int, to events: inout PackedEvents) -> Bool {
        let json = read.json
        guard json[index].kind == .object, json[index].range.count <= Limits.eventJSONBytesMax,
            let call = call(index), json.isText(call.type, "track"), call.traits == 0,
            call.context == 0 || isPlain(call.context),
            call.properties == 0 || json[call.properties].kind == .object,
            let message = unsafe read.text(call.message, bytesMax: Limits.messageIDBytesMax),
            let time = time(call), writeCustomer(call), let kind = writeBody(call)
        else { return false }
        events.append(
            kind, messageID: unsafe message.isEmpty ? 0 : Hashing.hash128(UnsafeRawBufferPointer(message)), time: time, key: key,
            identifiers: identifiers, body: body)
        return true
    }

    private func call(_ index: Int) -> Call? {
        var call = Call()
        let json = read.json
        var members = read.members(of: index)
        while let (name, value) = members.next() {
            switch name.length {
            case 4 where json.isName(name, "type"): call.type = members.take(value, 0)
            case 5 where json.isName(name, "event"): call.event = members.take(value, 1)
            case 6 where json.isName(name, "userId"): call.user = members.take(value, 2)
            case 6 where json.isName(name, "sentAt"): call.sentAt = members.take(value, 3)
            case 6 where json.isName(name, "traits"): call.traits = members.take(value, 4)
            case 7 where json.isName(name, "context"): call.context = members.take(value, 5)
            case 9 where json.isName(name, "messageId"): call.message = members.take(value, 6)
            case 9 where json.isName(name, "timestamp"): call.timestamp = members.take(value, 7)
            case 10 where json.isName(name, "properties"): call.properties = members.take(value, 8)
            case 11 where json.isName(name, "anonymousId"): call.anonymous = members.take(value, 9)
            case 17 where json.isName(name, "originalTimestamp"): call.original = members.take(value, 10)
            default: continue
            }
        }
        return members.isOdd ? nil : call
    }

    /// Whether a context says nothing of who the customer is.
    private func isPlain(_ index: Int) -> Bool {
        guard read.json[index].kind == .object else { return false }
        var members = read.members(of: index)
        while let (name, _) = members.next() {
            if read.json.isName(name, "externalIds") || read.json.isName(name, "traits") { return false }
        }
        return !members.isOdd
    }

    /// As ``EventTimes`` has it.
    private func time(_ call: Call) -> Instant? {
        let given = call.timestamp != 0 ? call.timestamp : call.original
        guard given != 0 else { return read.settings.timeMode == .live ? envelope.receivedAt : nil }
        guard let stamp = read.time(given) else { return nil }
        guard read.settings.timeMode == .live else { return stamp }
        var time = stamp
        if call.sentAt != 0 {
            guard let own = read.time(call.sentAt) else { return nil }
            time = stamp + (envelope.receivedAt - own)
        } else if let sentAt = envelope.sentAt {
            time = stamp + (envelope.receivedAt - sentAt)
        }
        let ahead = time - envelope.receivedAt
        return ahead <= Limits.clockAheadMilliseconds && -ahead <= Limits.clockBehindMilliseconds ? time : nil
    }

    /// The user's id, and beside it the anonymous one; else the anonymous one.
    private mutating func writeCustomer(_ call: Call) -> Bool {
        let bytesMax = Limits.customerKeyBytesMax - 6
        key.bytes.removeAll(keepingCapacity: true)
        identifiers.bytes.removeAll(keepingCapacity: true)
        var anonymous = unsafe QuickReading.empty
        if call.anonymous != 0 {
            guard let id = unsafe read.identifier(call.anonymous, bytesMax: bytesMax) else { return false }
            unsafe anonymous = id
        }
        guard call.user != 0 else {
            guard call.anonymous != 0 else { return false }
            unsafe key.text("a:", anonymous)
            return true
        }
        guard let user = unsafe read.identifier(call.user, bytesMax: bytesMax) else { return false }
        unsafe key.text("u:", user)
        if call.anonymous != 0 {
            identifiers.count(1)
            identifiers.count(anonymous.count + 2)
            unsafe identifiers.text("a:", anonymous)
            identifiers.bool(false)
        }
        return true
    }

    private mutating func writeBody(_ call: Call) -> EventKind? {
        let json = read.json
        guard call.event != 0, json[call.event].kind != .number,
            let name = unsafe read.text(call.event, bytesMax: Limits.nameBytesMax), !name.isEmpty
        else { return nil }
        body.bytes.removeAll(keepingCapacity: true)
        switch unsafe EventMeaning(name: name) {
        case .order(let change): return call.properties != 0 && writeOrder(change, call.properties) ? .order : nil
        case .product(let kind): return call.properties != 0 && writeProduct(kind, call.properties) ? .product : nil
        case .engagement(let kind): return writeEngagement(kind, call.properties) ? .engagement : nil
        case .named:
            let count = call.properties == 0 ? 2 : json[call.properties].range.count
            guard count <= Limits.unknownEventBytesMax else { return nil }
            unsafe body.block(name)
            if call.properties == 0 { body.string("{}") } else { unsafe body.block(json.content(json[call.properties])) }
            return .named
        }
    }

    private mutating func writeEngagement(_ kind: Engagement.Kind, _ properties: Int) -> Bool {
        if properties != 0 {
            var members = read.members(of: properties)
            while let (name, value) = members.next() {
                if read.json.isName(name, "action_id"), members.take(value, 0) != 0 { return false }
                if read.json.isName(name, "channel"), members.take(value, 1) != 0, kind == .unsubscribed { return false }
            }
            if members.isOdd { return false }
        }
        body.byte(kind.rawValue)
        body.byte(Channel.email.rawValue)
        body.bool(false)
        return true
    }

    private mutating func writeProduct(_ kind: ProductEvent.Kind, _ properties: Int) -> Bool {
        guard let line = read.line(properties), read.isOwnCurrency(line.currency) else { return false }
        body.byte(kind.rawValue)
        guard let (quantity, price) = read.write(line, to: &body) else { return false }
        body.signed(quantity)
        body.signed(price)
        return true
    }

    private mutating func writeOrder(_ change: OrderEvent.Change, _ properties: Int) -> Bool {
        guard let order = read.order(properties),
            let id = unsafe read.identifier(order.anyID, bytesMax: Limits.identifierBytesMax),
            read.isOwnCurrency(order.currency),
            let coupon = unsafe read.text(order.coupon, bytesMax: Limits.nameBytesMax),
            let (count, sum) = writeLines(order.products),
            let revenue = read.revenue(change, order, lines: count, sum: sum)
        else { return false }
        unsafe body.block(id)
        body.byte(change.rawValue)
        body.optional(revenue) { $0.signed($1) }
        body.string("")
        body.count(count)
        body.bytes.append(contentsOf: lines.bytes)
        unsafe body.block(coupon)
        return true
    }

    /// How many there are and what they are worth; the sum is nil where it is beyond all bounds.
    private mutating func writeLines(_ products: Int) -> (count: Int, sum: Int64?)? {
        lines.bytes.removeAll(keepingCapacity: true)
        guard products != 0 else { return (0, 0) }
        guard read.json[products].kind == .array else { return nil }
        var count = 0
        var sum: Int64? = 0
        let end = Int(read.json[products].next)
        var position = products + 1
        while position < end {
            guard read.json[position].kind == .object, let line = read.line(position),
                let (quantity, price) = read.write(line, to: &lines)
            else { return nil }
            lines.signed(quantity)
            lines.signed(price)
            count += 1
            let (cost, overflow) = price.multipliedReportingOverflow(by: quantity)
            sum = sum.flatMap { overflow || cost > Limits.moneyMax - $0 ? nil : $0 + cost }
            position = Int(read.json[position].next)
        }
        return count <= Limits.orderLinesMax ? (count, sum) : nil
    }
}

extension ByteWriter {
    /// Length and bytes.
    mutating func block(_ text: QuickReading.Text) {
        count(text.count)
        unsafe bytes.append(contentsOf: text)
    }

    /// A prefix and a text, without a length.
    mutating func text(_ prefix: StaticString, _ text: QuickReading.Text) {
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount))
        unsafe bytes.append(contentsOf: text)
    }
}
