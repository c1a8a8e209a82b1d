/// Kind byte of an effect; the numbers stand in stored logs.
enum EffectKind: UInt8 {
    case actionOpened = 1
    case suppressed, postponed, permitGranted, permitDenied, actionClosed, attributed, setAside, sums, replayed
    case messageSent = 20
    case messagesDelivered, messageApplied, merged, duplicateOffered, actionMoved
}

extension Effect {
    package func write(to writer: inout ByteWriter) {
        switch self {
        case .actionOpened(let opened):
            writer.byte(EffectKind.actionOpened.rawValue)
            opened.write(to: &writer)
        case .suppressed(let decision):
            writer.byte(EffectKind.suppressed.rawValue)
            decision.write(to: &writer)
        case .postponed(let decision, let until):
            writer.byte(EffectKind.postponed.rawValue)
            decision.write(to: &writer)
            writer.instant(until)
        case .permitGranted(let grant):
            writer.byte(EffectKind.permitGranted.rawValue)
            grant.write(to: &writer)
        case .permitDenied(let customer, let action, let attempt, let reason):
            writer.byte(EffectKind.permitDenied.rawValue)
            writer.string(customer.text)
            writer.fixed(action.value)
            writer.attempt(attempt)
            writer.byte(reason.rawValue)
        case .actionClosed(let closed):
            writer.byte(EffectKind.actionClosed.rawValue)
            closed.write(to: &writer)
        case .attributed(let attribution):
            writer.byte(EffectKind.attributed.rawValue)
            attribution.write(to: &writer)
        case .setAside(let event):
            writer.byte(EffectKind.setAside.rawValue)
            event.write(to: &writer)
        case .replayed(let number):
            writer.byte(EffectKind.replayed.rawValue)
            writer.varint(number)
        case .messageSent, .messagesDelivered, .messageApplied, .merged, .duplicateOffered, .actionMoved:
            writeIdentity(to: &writer)
        case .sums(let deltas):
            writer.byte(EffectKind.sums.rawValue)
            writer.list(deltas) { writer, delta in
                writer.byte(delta.counter.rawValue)
                writer.fixed(delta.rule.number)
                writer.signed(delta.amount)
            }
        }
    }

    package static func read(_ reader: inout ByteReader) throws(FormatError) -> Effect {
        let start = reader.position
        let kind = EffectKind(rawValue: try reader.byte())
        switch kind {
        case .messageSent, .messagesDelivered, .messageApplied, .merged, .duplicateOffered, .actionMoved:
            return try readIdentity(kind, &reader)
        case .actionOpened: return .actionOpened(try ActionOpened.read(&reader))
        case .suppressed: return .suppressed(try Decision.read(&reader))
        case .postponed: return .postponed(try Decision.read(&reader), until: try reader.instant())
        case .permitGranted: return .permitGranted(try PermitGrant.read(&reader))
        case .permitDenied:
            return .permitDenied(
                customer: CustomerKey(try reader.string()), action: ActionID(try reader.fixed()), attempt: try reader.attempt(),
                reason: try reader.choice())
        case .actionClosed: return .actionClosed(try ActionClosed.read(&reader))
        case .attributed: return .attributed(try Attribution.read(&reader))
        case .setAside: return .setAside(try SetAside.read(&reader))
        case .replayed: return .replayed(number: try reader.varint())
        case .sums:
            return .sums(
                try reader.list(max: 1 << 16) { r throws(FormatError) in
                    SumDelta(try r.choice(), rule: RuleID(try r.fixed()), amount: try r.signed())
                })
        case nil: throw FormatError(.invalid("effect kind"), at: start)
        }
    }
}

extension ActionOpened {
    /// The kind byte that stands before it in the effects of a step.
    package static var effectKind: UInt8 { EffectKind.actionOpened.rawValue }

    func write(to writer: inout ByteWriter) {
        writer.string(customer.text)
        writer.fixed(action.value)
        writer.fixed(rule.number)
        writer.byte(channel.rawValue)
        writer.instant(due)
        writer.instant(decided, after: due)
        writer.instant(deadline, after: due)
        writer.string(subject)
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> ActionOpened {
        let customer = CustomerKey(try reader.string())
        let action = ActionID(try reader.fixed())
        let rule = RuleID(try reader.fixed())
        let channel: Channel = try reader.choice()
        let due = try reader.instant()
        return ActionOpened(
            customer: customer, action: action, rule: rule, channel: channel, due: due, decided: try reader.instant(after: due),
            deadline: try reader.instant(after: due), subject: try reader.string())
    }
}

extension Decision {
    func write(to writer: inout ByteWriter) {
        writer.string(customer.text)
        writer.fixed(action.value)
        writer.fixed(rule.number)
        writer.instant(due)
        writer.instant(decided, after: due)
        writer.byte(reason.rawValue)
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> Decision {
        let customer = CustomerKey(try reader.string())
        let action = ActionID(try reader.fixed())
        let rule = RuleID(try reader.fixed())
        let due = try reader.instant()
        return Decision(
            customer: customer, action: action, rule: rule, due: due, decided: try reader.instant(after: due),
            reason: try reader.choice())
    }
}

extension PermitGrant {
    func write(to writer: inout ByteWriter) {
        writer.string(customer.text)
        writer.fixed(action.value)
        writer.attempt(attempt)
        writer.fixed(rule.number)
        writer.byte(channel.rawValue)
        writer.string(address)
        writer.string(template)
        writer.list(fields) { writer, field in
            writer.string(field.name)
            writer.string(field.value)
        }
        writer.instant(deadline)
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> PermitGrant {
        PermitGrant(
            customer: CustomerKey(try reader.string()), action: ActionID(try reader.fixed()), attempt: try reader.attempt(),
            rule: RuleID(try reader.fixed()), channel: try reader.choice(), address: try reader.string(),
            template: try reader.string(),
            fields: try reader.list(max: 1024) { r throws(FormatError) in Trait(try r.string(), try r.string()) },
            deadline: try reader.instant())
    }
}

extension ActionClosed {
    func write(to writer: inout ByteWriter) {
        writer.string(customer.text)
        writer.fixed(action.value)
        writer.fixed(rule.number)
        writer.byte(outcome.rawValue)
        writer.byte(reason.rawValue)
        writer.instant(time)
        writer.string(detail)
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> ActionClosed {
        ActionClosed(
            customer: CustomerKey(try reader.string()), action: ActionID(try reader.fixed()), rule: RuleID(try reader.fixed()),
            outcome: try reader.choice(), reason: try reader.choice(), time: try reader.instant(), detail: try reader.string())
    }
}

extension Attribution {
    func write(to writer: inout ByteWriter) {
        writer.string(customer.text)
        writer.fixed(action.value)
        writer.fixed(rule.number)
        writer.string(orderID)
        writer.byte(kind.rawValue)
        writer.signed(revenue)
        writer.signed(sales)
        writer.signed(conversions)
        writer.instant(time)
    }

    static func read(_ reader: inout ByteReader) throws(FormatError) -> Attribution {
        Attribution(
            customer: CustomerKey(try reader.string()), action: ActionID(try reader.fixed()), rule: RuleID(try reader.fixed()),
            orderID: try reader.string(), kind: try reader.choice(), revenue: try reader.signed(), sales: try reader.signed(),
            conversions: try reader.signed(), time: try reader.instant())
    }
}
