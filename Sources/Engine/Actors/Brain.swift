import Model

/// What a decision may look at besides the profile, and where it goes. Lives as long as a step.
///
/// Deciding is pure: the same profile, event or wake-up, rules and time give the same profile and effects on any machine.
struct Brain: ~Copyable, Sendable {
    var rules: CompiledRules
    var products: ProductTable
    /// Where other customers and identifiers are at home.
    let shards: ShardMap
    var outbox = Outbox()
    var effects = StepEffects()
    /// Memory in which the ids of actions are put together.
    var scratch = PackWriter(reserving: 512)
    /// The id of a product.
    var idScratch = PackWriter(reserving: 256)
    /// The timers that were decided upon, by what was decided; nil = nobody wants to know.
    var decided: [ActionID: Timer]?

    init(rules: CompiledRules, products: ProductTable, shards: ShardMap) {
        self.rules = rules
        self.products = products
        self.shards = shards
    }

    /// Applies an event that happened at `now`. Wake-ups due by then have run.
    mutating func apply(_ body: Event.Body, at now: Instant, customer: CustomerKey, to profile: inout Profile) throws(EventFault)
    {
        switch body {
        case .order(let order): try apply(order, at: now, customer: customer, to: &profile)
        case .product(let product): Self.apply(product.kind, to: &profile)
        case .identify(let identify): try apply(identify, to: &profile)
        case .engagement(let engagement): apply(engagement, to: &profile)
        case .named(let name, _):
            #if DEBUG
                InjectedTrap.hit(name)
            #endif
        case .alias(let previous): tie(previous, to: customer)
        case .permitRequest(let action, let attempt): answer(attempt, for: action, at: now, customer: customer, in: &profile)
        case .outcome(let action, let attempt, let outcome, let detail):
            close(action, attempt, outcome, detail, at: now, customer: customer, in: &profile)
        }
    }

    /// Of a product event nothing is kept but what was done.
    static func apply(_ kind: ProductEvent.Kind, to profile: inout Profile) {
        switch kind {
        case .viewed, .clicked: profile.views += 1
        case .addedToCart, .removedFromCart, .addedToWishlist, .removedFromWishlist, .reviewed, .shared: break
        }
    }

    private func check(_ identify: Identify, _ profile: Profile) throws(EventFault) {
        var names = Set(profile.traits.map(\.name))
        for trait in identify.traits {
            guard trait.name.utf8.count <= Limits.nameBytesMax, trait.value.utf8.count <= Limits.traitValueBytesMax else {
                throw EventFault("a trait of more than \(Limits.traitValueBytesMax) bytes, or its name of \(Limits.nameBytesMax)")
            }
            if trait.value.isEmpty { names.remove(trait.name) } else { names.insert(trait.name) }
            guard names.count <= Limits.traitsMax else { throw EventFault("more than \(Limits.traitsMax) traits") }
        }
    }

    private func apply(_ identify: Identify, to profile: inout Profile) throws(EventFault) {
        try check(identify, profile)
        for trait in identify.traits {
            let place = profile.traits.firstIndex { $0.name >= trait.name } ?? profile.traits.count
            let known = place < profile.traits.count && profile.traits[place].name == trait.name
            if known && trait.name == "email" && profile.traits[place].value != trait.value { profile.consents.release(.email) }
            if trait.value.isEmpty {
                if known { profile.traits.remove(at: place) }
            } else if known {
                profile.traits[place].value = trait.value
            } else {
                profile.traits.insert(trait, at: place)
            }
        }
        for consent in identify.consents { profile.consents[consent.channel] = consent.granted }
    }

    private func apply(_ engagement: Engagement, to profile: inout Profile) {
        switch engagement.kind {
        case .delivered: break
        case .opened: profile.opens += 1
        case .clicked: profile.clicks += 1
        case .bounced, .markedAsSpam: profile.consents.suppress(engagement.channel)
        case .unsubscribed: profile.consents[engagement.channel] = false
        }
    }
}

/// An event that cannot be applied; it is set aside and its neighbours go on. Nothing of it is in the profile.
struct EventFault: Error, Equatable {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}
