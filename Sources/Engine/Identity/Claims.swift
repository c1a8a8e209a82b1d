import Model

// Who bears which identifier, and who turns out to be one. An identifier's shard knows its claimants in the order in which
// their claims came through its log, so everybody who replays it finds the same answer.

extension Brain {
    mutating func send(_ message: ShardMessage, to key: CustomerKey) { send(message.encoded(), to: key) }

    mutating func send(_ body: [UInt8], to key: CustomerKey) {
        let destination = shards.shard(of: key)
        let counter = outbox.add(body, to: destination)
        effects.add(.messageSent(to: destination, counter: counter, body: body))
    }

    /// An event of the customer bears these: what is new is claimed, once.
    mutating func claim(_ identifiers: [Identifier], customer: CustomerKey, in profile: inout Profile) {
        for identifier in identifiers {
            note(identifier, former: nil, customer: customer, in: &profile)
        }
    }

    /// Notes an identifier as the customer's and claims it. No effect when it is noted already, when the customer has
    /// enough of its kind, or when the identifier is the stronger key of the two.
    mutating func note(
        _ identifier: Identifier, former: CustomerKey?, customer: CustomerKey, in profile: inout Profile
    ) {
        guard customer.outlives(identifier.key), let kind = identifier.key.kind, kind != .user else { return }
        var identity = profile.identity ?? Identity()
        if let known = identity.identifiers.firstIndex(where: { $0.key == identifier.key }) {
            let isNews = identifier.isVerified && !identity.identifiers[known].isVerified
            guard isNews || former != nil else { return }
            if isNews { identity.identifiers[known].isVerified = true }
        } else {
            guard identity.identifiers.count(where: { $0.key.kind == kind }) < Limits.identifiersPerKindMax else { return }
            identity.identifiers.append(identifier)
        }
        profile.identity = identity
        send(.claim(identifier, customer: customer, former: former), to: identifier.key)
    }

    /// A claim has come to the identifier's own shard. `profile` is what stands under the identifier's key.
    mutating func take(
        claim identifier: Identifier, of customer: CustomerKey, former: CustomerKey?, in profile: inout Profile
    ) {
        let key = identifier.key
        // A customer that was merged by its own word leads on already: claims for its key change nothing.
        if profile.isMark && !profile.identityPart.isClaimed { return }
        var identity = profile.identity ?? Identity()
        let isNew = identity.enter(customer, isVerified: identifier.isVerified, former: former)
        if key.kind != .anonymous {
            for (other, survivor) in identity.settle() { send(.merge(other, into: survivor), to: other) }
        }
        if isNew && identity.isDoubtful(under: key), let first = identity.claimants.first?.customer, first != customer,
            identity.claimants.contains(where: { $0.customer == customer })
        {
            effects.add(.duplicateOffered(first, customer, identifier: key))
        }
        let target = identity.target
        if let target, !profile.isMark, profile.hasContent {
            profile.identity = identity
            depart(&profile, customer: key, into: target)
        } else {
            identity.leadsTo = target
            profile.identity = identity
        }
    }

    /// Two keys are one customer, by the word of an event of the first.
    mutating func tie(_ previous: CustomerKey, to customer: CustomerKey) {
        guard previous != customer else { return }
        let (survivor, other) = customer.outlives(previous) ? (customer, previous) : (previous, customer)
        send(.merge(other, into: survivor), to: other)
    }

    /// The customer is to become part of `survivor`. One that is a part of another already says so: those two are one then.
    mutating func merge(_ customer: CustomerKey, into survivor: CustomerKey, in profile: inout Profile) {
        if let target = profile.identity?.leadsTo {
            return tie(target, to: survivor)
        }
        guard survivor.outlives(customer) else { return }
        depart(&profile, customer: customer, into: survivor)
    }

    /// Sends the whole profile to the survivor; what stays is a mark that leads there.
    private mutating func depart(_ profile: inout Profile, customer: CustomerKey, into survivor: CustomerKey) {
        let identity = profile.identity ?? Identity()
        profile.identity = nil
        leaveSegments(&profile)
        if !profile.isBlank || !identity.identifiers.isEmpty || !identity.merged.isEmpty {
            if !identity.identifiers.isEmpty || !identity.merged.isEmpty {
                var travelling = Identity()
                travelling.identifiers = identity.identifiers
                travelling.merged = identity.merged
                profile.identity = travelling
            }
            send(.absorb(customer, into: survivor, profile: profile.travelling(products)), to: survivor)
        }
        for timer in profile.timers { effects.addArmed(timer.rule, -1) }
        profile.clear()
        var mark = Identity()
        mark.leadsTo = survivor
        mark.claimants = identity.claimants
        profile.identity = mark
    }
}

extension Identity {
    /// Whom events for the identifier go to: the first claimant that is verified, else the first; nobody, when so many
    /// claim it that it says nothing.
    var target: CustomerKey? {
        guard claimants.count < Limits.claimantsMax else { return nil }
        return (claimants.first(where: \.isVerified) ?? claimants.first)?.customer
    }

    /// Notes a claim; true for a claimant that is new. An absorbed one's claim becomes the survivor's, at its place.
    mutating func enter(_ customer: CustomerKey, isVerified: Bool, former: CustomerKey?) -> Bool {
        var isVerified = isVerified
        if let former, let place = claimants.firstIndex(where: { $0.customer == former }) {
            isVerified = isVerified || claimants[place].isVerified
            if claimants.contains(where: { $0.customer == customer }) {
                claimants.remove(at: place)
            } else {
                claimants[place] = Claimant(customer: customer, isVerified: isVerified)
                return false
            }
        }
        if let place = claimants.firstIndex(where: { $0.customer == customer }) {
            claimants[place].isVerified = claimants[place].isVerified || isVerified
            return false
        }
        guard claimants.count < Limits.claimantsMax else { return false }
        claimants.append(Claimant(customer: customer, isVerified: isVerified))
        return true
    }

    /// Takes out claimants that are another one for certain: verified ones become the one that outlives the others, and one
    /// of whom only identifiers are known becomes the customer that bears them.
    mutating func settle() -> [(other: CustomerKey, survivor: CustomerKey)] {
        guard claimants.count > 1, claimants.count < Limits.claimantsMax else { return [] }
        var merges: [(other: CustomerKey, survivor: CustomerKey)] = []
        let verified = claimants.filter(\.isVerified).map(\.customer)
        if var survivor = verified.first {
            for customer in verified where customer.outlives(survivor) { survivor = customer }
            merges += verified.filter { $0 != survivor }.map { ($0, survivor) }
            claimants.removeAll { $0.isVerified && $0.customer != survivor }
        }
        func isNamed(_ claimant: Claimant) -> Bool { claimant.customer.kind == .user || claimant.customer.kind == .anonymous }
        let named = claimants.filter(isNamed)
        if named.count == 1, claimants.count > 1 {
            merges += claimants.filter { !isNamed($0) }.map { ($0.customer, named[0].customer) }
            claimants.removeAll { !isNamed($0) }
        }
        return merges
    }
}

extension Profile {
    /// Anything is known of the customer itself.
    var hasContent: Bool {
        if identityPart.isEmpty || !isBlank { return true }
        return identity.map { !$0.identifiers.isEmpty || !$0.merged.isEmpty } ?? true
    }

    /// A customer, and not only the place of an identifier or a mark.
    var isCustomer: Bool {
        !identityPart.isMark && (!identityPart.isClaimed || hasContent)
    }
}
