package import Model

/// From a call of the Segment API to an event. Pure: no clock, no state, the same answer for the same input.
package struct EventMapping: Sendable {
    /// What the installation has decided.
    package struct Settings: Equatable, Sendable {
        package var timeMode: Installation.TimeMode
        /// ISO 4217; events in any other are refused.
        package var currency: String
        /// Digits of its minor unit.
        package var currencyDigits: Int

        package init(timeMode: Installation.TimeMode, currency: String = "USD", currencyDigits: Int = 2) {
            self.timeMode = timeMode
            self.currency = currency
            self.currencyDigits = currencyDigits
        }
    }

    /// What surrounds the call: its batch and its arrival.
    package struct Envelope: Sendable {
        /// The batch's `context`, merged behind the item's own.
        package var context: JSONValue?
        /// The batch's `sentAt`; an item's own goes before it.
        package var sentAt: Instant?
        package var receivedAt: Instant

        package init(context: JSONValue? = nil, sentAt: Instant? = nil, receivedAt: Instant) {
            self.context = context
            self.sentAt = sentAt
            self.receivedAt = receivedAt
        }
    }

    /// The calls of the API; also the values of an item's `type`.
    package enum Call: String, CaseIterable, Sendable { case identify, track, page, screen, group, alias }

    package let settings: Settings

    package init(settings: Settings) { self.settings = settings }

    /// - Parameter call: nil = as the item's `type` says.
    package func event(_ item: JSONValue, call: Call?, envelope: Envelope) throws(FieldError) -> Event {
        guard item.kind == .object else { throw FieldError(.invalid, "", "must be an object") }
        guard item.range.count <= Limits.eventJSONBytesMax else {
            throw FieldError(
                .tooLarge, "", "the event has \(item.range.count) bytes; at most \(Limits.eventJSONBytesMax) are allowed")
        }
        let call = if let call { call } else { try Self.call(item) }
        let contexts = try Contexts(item: item, batch: envelope.context)
        let messageID = try FieldReading.text(item, "messageId", at: "", bytesMax: Limits.messageIDBytesMax)
        let customer = call == .alias ? try aliasTarget(item) : try CustomerIdentity.key(item, contexts: contexts)
        return Event(
            messageID: messageID.isEmpty ? 0 : Hashing.hash128(messageID), customer: customer,
            time: try EventTimes.time(item, envelope: envelope, mode: settings.timeMode),
            identifiers: call == .alias
                ? [] : IdentifierMapping.identifiers(item, call, contexts: contexts, key: customer),
            body: try body(item, call, contexts: contexts, customer: customer))
    }

    private static func call(_ item: JSONValue) throws(FieldError) -> Call {
        guard let type = FieldReading.member(item, "type") else { throw FieldError(.missing, "type", "is needed in a batch") }
        guard let call = type.string.flatMap(Call.init(rawValue:)) else {
            throw FieldError(.unknownType, "type", "must be one of \(Call.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return call
    }

    private func body(
        _ item: JSONValue, _ call: Call, contexts: Contexts, customer: CustomerKey
    ) throws(FieldError) -> Event.Body {
        switch call {
        case .identify: return .identify(try IdentifyMapping.identify(item, contexts: contexts))
        case .track: return try track(item)
        case .page: return try NamedMapping.named("Page Viewed", item, content: "properties", adding: ["name", "category"])
        case .screen: return try NamedMapping.named("Screen Viewed", item, content: "properties", adding: ["name", "category"])
        case .group:
            guard FieldReading.member(item, "groupId") != nil else { throw FieldError(.missing, "groupId", "is needed") }
            return try NamedMapping.named("Group Joined", item, content: "traits", adding: ["groupId"])
        case .alias: return .alias(previous: try aliasSource(item, of: customer))
        }
    }

    private func track(_ item: JSONValue) throws(FieldError) -> Event.Body {
        guard let value = FieldReading.member(item, "event") else {
            throw FieldError(.missing, "event", "is needed: the event's name")
        }
        guard value.kind == .string else { throw FieldError(.invalid, "event", "must be a string") }
        let name = try FieldReading.text(value, at: "event", bytesMax: Limits.nameBytesMax)
        guard !name.isEmpty else { throw FieldError(.missing, "event", "is empty: the event's name is needed") }
        let properties = try FieldReading.object(item, "properties", at: "")
        switch EventMeaning(name: name) {
        case .order(let change): return .order(try OrderMapping.order(change, properties, settings: settings))
        case .product(let kind): return .product(try OrderMapping.product(kind, properties, settings: settings))
        case .engagement(let kind): return .engagement(try engagement(kind, properties))
        case .named: return try NamedMapping.named(name, item, content: "properties", adding: [])
        }
    }

    private func engagement(_ kind: Engagement.Kind, _ properties: JSONValue?) throws(FieldError) -> Engagement {
        var channel = Channel.email
        if kind == .unsubscribed, let value = FieldReading.member(properties, "channel") {
            guard let named = Channel.allCases.first(where: { $0 != .record && $0.name == value.string }) else {
                throw FieldError(.invalid, "properties.channel", "must be email or sms")
            }
            channel = named
        }
        guard let value = FieldReading.member(properties, "action_id") else { return Engagement(kind: kind, channel: channel) }
        guard let action = value.string.flatMap(ActionID.init(text:)) else {
            throw FieldError(.invalid, "properties.action_id", "must be 32 hexadecimal digits")
        }
        return Engagement(kind: kind, channel: channel, action: action)
    }

    private func aliasTarget(_ item: JSONValue) throws(FieldError) -> CustomerKey {
        guard let user = try CustomerIdentity.identifier(item, "userId", at: "") else {
            throw FieldError(.missing, "userId", "is needed: whom previousId belongs to")
        }
        return .user(user)
    }

    /// A `previousId` is a user id, unless it is the call's own anonymous id.
    private func aliasSource(_ item: JSONValue, of customer: CustomerKey) throws(FieldError) -> CustomerKey {
        guard let previous = try CustomerIdentity.identifier(item, "previousId", at: "") else {
            throw FieldError(.missing, "previousId", "is needed")
        }
        let anonymous = try CustomerIdentity.identifier(item, "anonymousId", at: "")
        let key: CustomerKey = anonymous == previous ? .anonymous(previous) : .user(previous)
        guard key != customer else { throw FieldError(.invalid, "previousId", "is the same as userId") }
        return key
    }
}
