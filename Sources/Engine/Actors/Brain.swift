import Model

/// What a decision may look at besides the profile, and where it goes. Lives as long as a step.
///
/// Deciding is pure: the same profile, event or wake-up, rules and time give the same profile and effects on any machine.
struct Brain: ~Copyable, Sendable {
    var rules: CompiledRules
    var products: ProductTable
    /// Where other customers and identifiers are at home.
    let shards: ShardMap
    let isLive: Bool
    var outbox = Outbox()
    var effects = StepEffects()
    /// Memory in which the ids of actions are put together.
    var scratch = PackWriter(reserving: 512)
    /// The id of a product.
    var idScratch = PackWriter(reserving: 256)
    var membership = MembershipScratch()
    /// The timers that were decided upon, by what was decided; nil = nobody wants to know.
    var decided: [ActionID: Timer]?

    init(rules: CompiledRules, products: ProductTable, shards: ShardMap, isLive: Bool) {
        self.isLive = isLive
        self.rules = rules
        self.products = products
        self.shards = shards
    }

    /// Applies an event that happened at `now`. Wake-ups due by then have run.
    mutating func apply(_ body: Event.Body, at now: Instant, customer: CustomerKey, to profile: inout Profile) throws(EventFault)
    {
        switch body {
        case .order(let order): try apply(order, at: now, customer: customer, to: &profile)
        case .product(let product): try apply(product, at: now, to: &profile)
        case .identify(let identify): try apply(identify, at: now, to: &profile)
        case .engagement(let engagement): apply(engagement, at: now, to: &profile)
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

    /// Of a product event nothing is kept but what was done, unless the installation remembers browsing.
    static func apply(_ kind: ProductEvent.Kind, to profile: inout Profile) {
        switch kind {
        case .viewed, .clicked: profile.views += 1
        case .addedToCart, .removedFromCart, .addedToWishlist, .removedFromWishlist, .reviewed, .shared: break
        }
    }

    /// Whether more is kept of product events, and of what is done with messages, than how often.
    var remembersBrowsing: Bool { rules.set.memory.browsingMilliseconds > 0 }

    mutating func apply(_ event: ProductEvent, at now: Instant, to profile: inout Profile) throws(EventFault) {
        let act: Act? =
            switch event.kind {
            case .viewed, .clicked: .viewed
            case .addedToCart: .addedToCart
            case .removedFromCart, .addedToWishlist, .removedFromWishlist, .reviewed, .shared: nil
            }
        if let act, remembersBrowsing, !event.product.id.isEmpty {
            guard let product = products.index(of: event.product) else {
                throw EventFault("more than \(Limits.productsPerShardMax) products in one shard")
            }
            profile.remember(
                PastAct(act: act, product: product, time: now, order: 0), memory: rules.set.memory.browsingMilliseconds)
            if act == .viewed { armViews(product, at: now, in: &profile) } else { armCart(at: now, in: &profile) }
        }
        if event.kind == .removedFromCart, remembersBrowsing, let product = products.known(event.product.id) {
            profile.takeFromCart(product)
        }
        Self.apply(event.kind, to: &profile)
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

    private mutating func apply(_ identify: Identify, at now: Instant, to profile: inout Profile) throws(EventFault) {
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
        if !rules.dates.isEmpty && !identify.traits.isEmpty { armDates(identify.traits, at: now, in: &profile) }
    }

    private func apply(_ engagement: Engagement, at now: Instant, to profile: inout Profile) {
        switch engagement.kind {
        case .delivered: break
        case .opened:
            profile.opens += 1
            if remembersBrowsing { profile.engage(.opened, at: now) }
        case .clicked:
            profile.clicks += 1
            if remembersBrowsing { profile.engage(.clicked, at: now) }
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
