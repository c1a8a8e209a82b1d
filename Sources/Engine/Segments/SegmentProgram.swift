import Model

/// Kinds of what conditions ask about, by which an event tells what it may have changed.
struct Facts: OptionSet, Sendable {
    let rawValue: UInt8
    static let orders = Facts(rawValue: 1 << 0)
    static let purchases = Facts(rawValue: 1 << 1)
    static let browsing = Facts(rawValue: 1 << 2)
    static let traits = Facts(rawValue: 1 << 3)
    static let consents = Facts(rawValue: 1 << 4)
    static let engagement = Facts(rawValue: 1 << 5)
    /// Nothing happened but that time went on.
    static let time = Facts(rawValue: 1 << 6)
    static let all = Facts(rawValue: 0x7f)

    static func of(_ act: Act) -> Facts {
        switch act {
        case .bought: .purchases
        case .viewed, .addedToCart: .browsing
        }
    }
}

/// The segments of a rule set made ready: each question is asked once for all segments that ask it.
struct SegmentProgram: Sendable {
    /// A question about a profile and an instant.
    enum Test: Hashable, Sendable {
        case orders(OrderFigure, within: Int64?, Comparison, Int64)
        case sinceLastOrder(Comparison, Int64)
        case sinceFirstOrder(Comparison, Int64)
        case acts(Act, goods: Int, within: Int64, Comparison, Int64)
        case sinceAct(Act, goods: Int, memory: Int64, Comparison, Int64)
        case rhythm(Comparison, percent: Int64)
        case pace(Comparison, percent: Int64)
        case trait(String, TraitTest)
        case anniversary(String, before: Int64, after: Int64)
        case sinceEngagement(EngagementSign, Comparison, Int64)
        case consent(Channel, ConsentState)
        case reachable(Channel)
        case interest(goods: Int, Comparison, Int64)

        var facts: Facts {
            switch self {
            case .orders(_, let within, _, _): within == nil ? .orders : [.orders, .time]
            case .sinceLastOrder, .sinceFirstOrder, .rhythm: [.orders, .time]
            case .pace: .orders
            case .acts(let act, _, _, _, _), .sinceAct(let act, _, _, _, _): [.of(act), .time]
            case .trait: .traits
            case .anniversary: [.traits, .time]
            case .sinceEngagement: [.engagement, .time]
            case .consent: .consents
            case .reachable: [.consents, .traits]
            case .interest: [.purchases, .browsing, .time]
            }
        }
    }

    enum Node: Hashable, Sendable {
        case all([Int])
        case any([Int])
        case not(Int)
        case test(Int)
    }

    struct Compiled: Sendable {
        let number: UInt16
        /// Index into `nodes`.
        let root: Int
        let facts: Facts
    }

    /// By number ascending.
    private(set) var segments: [Compiled] = []
    /// By index into the rule set's segments: index into `nodes`.
    private(set) var roots: [Int] = []
    private(set) var nodes: [Node] = []
    private(set) var tests: [Test] = []
    /// Those that tests ask about; goods that name nothing are not among them.
    private(set) var goods: [GoodsSet] = []
    /// Of all segments together.
    private(set) var facts: Facts = []
    let memory: Memory

    private var knownTests: [Test: Int] = [:]
    private var knownNodes: [Node: Int] = [:]
    private var knownGoods: [Goods: Int] = [:]

    /// In place of an index, of goods that are all.
    static let allGoods = -1

    init(_ set: RuleSet) {
        memory = set.memory
        for segment in set.segments {
            var facts: Facts = []
            let root = compile(segment.condition, &facts)
            roots.append(root)
            segments.append(Compiled(number: segment.number, root: root, facts: facts))
            self.facts.formUnion(facts)
        }
        segments.sort { $0.number < $1.number }
        // Of use only while compiling.
        knownTests = [:]
        knownNodes = [:]
        knownGoods = [:]
    }

    private mutating func compile(_ condition: Condition, _ facts: inout Facts) -> Int {
        switch condition {
        case .all(let parts): return node(.all(parts.map { compile($0, &facts) }))
        case .any(let parts): return node(.any(parts.map { compile($0, &facts) }))
        case .not(let part): return node(.not(compile(part, &facts)))
        case .orders(let figure, let within, let how, let value):
            return test(.orders(figure, within: within, how, value), &facts)
        case .sinceLastOrder(let how, let value): return test(.sinceLastOrder(how, value), &facts)
        case .sinceFirstOrder(let how, let value): return test(.sinceFirstOrder(how, value), &facts)
        case .acts(let act, let goods, let within, let how, let value):
            let memory = memory.milliseconds(of: act)
            return test(.acts(act, goods: place(of: goods), within: min(within ?? memory, memory), how, value), &facts)
        case .sinceAct(let act, let goods, let how, let value):
            return test(.sinceAct(act, goods: place(of: goods), memory: memory.milliseconds(of: act), how, value), &facts)
        case .rhythm(let how, let percent): return test(.rhythm(how, percent: percent), &facts)
        case .pace(let how, let percent): return test(.pace(how, percent: percent), &facts)
        case .trait(let name, let what): return test(.trait(name, what), &facts)
        case .anniversary(let trait, let before, let after):
            return test(.anniversary(trait, before: before, after: after), &facts)
        case .sinceEngagement(let sign, let how, let value): return test(.sinceEngagement(sign, how, value), &facts)
        case .consent(let channel, let state): return test(.consent(channel, state), &facts)
        case .reachable(let channel): return test(.reachable(channel), &facts)
        case .interest(let goods, let how, let value):
            return test(.interest(goods: place(of: goods), how, value), &facts)
        }
    }

    private mutating func test(_ test: Test, _ facts: inout Facts) -> Int {
        facts.formUnion(test.facts)
        if let known = knownTests[test] { return node(.test(known)) }
        knownTests[test] = tests.count
        tests.append(test)
        return node(.test(tests.count - 1))
    }

    private mutating func node(_ node: Node) -> Int {
        if let known = knownNodes[node] { return known }
        knownNodes[node] = nodes.count
        nodes.append(node)
        return nodes.count - 1
    }

    private mutating func place(of goods: Goods) -> Int {
        if goods.isEmpty { return Self.allGoods }
        if let known = knownGoods[goods] { return known }
        knownGoods[goods] = self.goods.count
        self.goods.append(GoodsSet(goods))
        return self.goods.count - 1
    }
}

/// Goods by which a product is looked up.
struct GoodsSet: Sendable {
    private let products: Set<String>
    private let categories: Set<String>
    private let brands: Set<String>
    /// Names nothing, and so means all.
    let isAll: Bool

    init(_ goods: Goods) {
        products = Set(goods.products)
        categories = Set(goods.categories)
        brands = Set(goods.brands)
        isAll = goods.isEmpty
    }

    func contains(_ product: Product) -> Bool {
        isAll || products.contains(product.id) || categories.contains(product.category) || brands.contains(product.brand)
    }
}
