package import Model

/// What is known of a customer, in lists, and what conditions say of it at an instant: from nothing, in the plainest words,
/// with nothing shared with the engine but the values' names.
package struct ReferenceFacts {
    package struct Order {
        package var placed: Instant
        package var revenue: Int64

        package init(placed: Instant, revenue: Int64) {
            self.placed = placed
            self.revenue = revenue
        }
    }

    package struct Done {
        package var act: Act
        package var product: Product
        package var time: Instant

        package init(act: Act, product: Product, time: Instant) {
            self.act = act
            self.product = product
            self.time = time
        }
    }

    /// Those that stand.
    package var orders: [Order] = []
    package var done: [Done] = []
    package var traits: [String: String] = [:]
    package var consents: [Channel: Bool] = [:]
    package var suppressed: Set<Channel> = []
    package var engaged: [EngagementSign: Instant] = [:]

    package init() {}

    package func holds(_ condition: Condition, at now: Instant, _ rules: RuleSet) -> Bool {
        func age(_ instant: Instant) -> Int64 { max(now - instant, 0) }
        switch condition {
        case .all(let parts): return parts.allSatisfy { holds($0, at: now, rules) }
        case .any(let parts): return parts.contains { holds($0, at: now, rules) }
        case .not(let part): return !holds(part, at: now, rules)
        case .orders(let figure, let within, let how, let value):
            let counted = orders.filter { order in within.map { now - order.placed < $0 } ?? true }
            let sum = counted.reduce(0) { $0 + $1.revenue }
            switch figure {
            case .count: return how.holds(Int64(counted.count), value)
            case .sum: return how.holds(sum, value)
            case .average: return !counted.isEmpty && how.holds(sum, value * Int64(counted.count))
            }
        case .sinceLastOrder(let how, let value):
            return orders.map(\.placed).max().map { how.holds(age($0), value) } ?? false
        case .sinceFirstOrder(let how, let value):
            return orders.map(\.placed).min().map { how.holds(age($0), value) } ?? false
        case .acts(let act, let goods, let within, let how, let value):
            let period = min(within ?? .max, rules.memory.milliseconds(of: act))
            let times = done.filter { $0.act == act && Self.isAmong($0.product, goods) && now - $0.time < period }
            return how.holds(Int64(times.count), value)
        case .sinceAct(let act, let goods, let how, let value):
            let last = done.filter { $0.act == act && Self.isAmong($0.product, goods) }.map(\.time).max()
            guard let last, now - last < rules.memory.milliseconds(of: act) else { return false }
            return how.holds(age(last), value)
        case .rhythm(let how, let percent):
            let times = orders.map(\.placed).sorted()
            guard times.count >= 3, let first = times.first, let last = times.last, last > first else { return false }
            // age / (span / intervals) against percent / 100.
            return how.holds(age(last) * 100 * Int64(times.count - 1), percent * (last - first))
        case .pace(let how, let percent):
            let times = orders.map(\.placed).sorted()
            let intervals = zip(times.dropFirst(), times).map { $0 - $1 }.suffix(16)
            guard intervals.count >= 4 else { return false }
            let younger = intervals.suffix(intervals.count / 2)
            let elder = intervals.dropLast(younger.count)
            let (past, lately) = (elder.reduce(0, +), younger.reduce(0, +))
            if past == 0 && lately == 0 { return false }
            return how.holds(past * 100 * Int64(younger.count), percent * lately * Int64(elder.count))
        case .trait(let name, let test):
            guard let value = traits[name] else { return false }
            switch test {
            case .exists: return true
            case .isOneOf(let values): return values.contains { Array($0.utf8) == Array(value.utf8) }
            case .contains(let part):
                return part.isEmpty || Self.places(of: Array(part.utf8), in: Array(value.utf8))
            case .number(let how, let limit): return Self.number(value).map { how.holds($0, limit) } ?? false
            }
        case .anniversary(let trait, let before, let after):
            return traits[trait].map { Self.isNear($0, before, after, at: now, rules.zone) } ?? false
        case .sinceEngagement(let sign, let how, let value): return engaged[sign].map { how.holds(age($0), value) } ?? false
        case .consent(let channel, let state):
            switch state {
            case .granted: return consents[channel] == true
            case .withheld: return consents[channel] == false
            case .unknown: return consents[channel] == nil
            }
        case .reachable(let channel):
            let address: String? =
                switch channel {
                case .email: traits["email"]
                case .sms: traits["phone"]
                case .record: nil
                }
            return address != nil && !suppressed.contains(channel) && consents[channel] ?? rules.consentAssumed
        case .interest(let goods, let how, let value):
            var level: Int64 = 0
            for one in done where Self.isAmong(one.product, goods) && now - one.time < rules.memory.milliseconds(of: one.act) {
                level += Interest.weight(of: one.act) * Self.decayed(age(one.time))
            }
            return how.holds(level, value << 32)
        }
    }

    private static func isAmong(_ product: Product, _ goods: Goods) -> Bool {
        goods.isEmpty || goods.products.contains(product.id) || goods.categories.contains(product.category)
            || goods.brands.contains(product.brand)
    }

    private static func places(of part: [UInt8], in text: [UInt8]) -> Bool {
        text.indices.contains { text[$0...].starts(with: part) }
    }

    private static func number(_ text: String) -> Int64? {
        let sign: Int64 = text.hasPrefix("-") ? -1 : 1
        let parts = text.drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { "0123456789".contains($0) } }),
            let whole = Int64(parts[0]), whole < 100_000_000_000_000, !text.dropFirst().contains("-")
        else { return nil }
        let fraction = parts.count == 2 ? Int64((parts[1] + "0000").prefix(4)) ?? 0 : 0
        return sign * (whole * 10_000 + fraction)
    }

    /// Day by day through the days around: the local date's month and day against the trait's.
    private static func isNear(_ date: String, _ before: Int64, _ after: Int64, at now: Instant, _ zone: ZoneTable) -> Bool {
        let parts = date.split(separator: "-", omittingEmptySubsequences: false).suffix(2).map { Int64($0.prefix(2)) }
        guard parts.count == 2, let month = parts[0], let day = parts[1] else { return false }
        let offset = zone.transitions.last { $0.at <= now }?.offsetSeconds ?? zone.initialOffsetSeconds
        let today = Int64((Double(now.milliseconds + Int64(offset) * 1000) / 86_400_000).rounded(.down))
        return (today - after...today + before).contains { isYearly($0, month: month, day: day) }
    }

    /// Whether it is that day of its year; 29 February is 1 March in most.
    static func isYearly(_ number: Int64, month: Int64, day: Int64) -> Bool {
        let (year, itsMonth, itsDay) = civil(number)
        if (itsMonth, itsDay) == (month, day) { return true }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return (month, day) == (2, 29) && !isLeap && (itsMonth, itsDay) == (3, 1)
    }

    /// Counts the days up from 1970-01-01, month by month.
    static func civil(_ number: Int64) -> (year: Int64, month: Int64, day: Int64) {
        var (rest, year, month) = (number, Int64(1970), 0)
        while true {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            if rest < lengths[month] { return (year, Int64(month) + 1, rest + 1) }
            rest -= lengths[month]
            month += 1
            if month == 12 { (year, month) = (year + 1, 0) }
        }
    }

    /// 2^(-age / half life) with 32 bits behind the point: by doublings of the exact halves, a straight line between the
    /// 64ths of a half life.
    private static func decayed(_ age: Int64) -> Int64 {
        let half = Interest.halfLifeMilliseconds
        guard age / half < 40 else { return 0 }
        let rest = age % half
        let step = rest * 64 / half
        let within = rest * 64 % half
        let (from, to) = (power(step), power(step + 1))
        return (from - (from - to) * within / half) >> (age / half)
    }

    /// 2^(32 - i/64), rounded: 53 bits are enough for the 33 of it.
    private static func power(_ i: Int64) -> Int64 { powers[Int(i)] }

    private static let powers: [Int64] = (0...64).map { Int64((4_294_967_296 * exponential(-Double($0) / 64)).rounded()) }

    /// 2^x by its series, for -1 <= x <= 0.
    private static func exponential(_ x: Double) -> Double {
        let y = x * 0.693147180559945309417232121458
        var (term, sum) = (1.0, 1.0)
        for n in 1...30 {
            term *= y / Double(n)
            sum += term
        }
        return sum
    }
}
