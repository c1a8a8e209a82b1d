/// What a system that ran the workload must have found out. Encodes with the names of the specification.
package struct ReferenceAnswers: Codable, Equatable, Sendable {
    /// How often the rules' timers fired.
    package var firedReorder: UInt64 = 0
    package var firedLapsed: UInt64 = 0
    package var firedReview: UInt64 = 0
    /// Sums of the due times of those timers in milliseconds, modulo 2^64.
    package var sumReorder: UInt64 = 0
    package var sumLapsed: UInt64 = 0
    package var sumReview: UInt64 = 0
    /// Timers still armed at the end.
    package var armed: Int64 = 0
    package var orders: Int64 = 0
    /// Minor units.
    package var revenue: Int64 = 0

    package init() {}

    enum CodingKeys: String, CodingKey {
        case firedReorder = "fired.reorder"
        case firedLapsed = "fired.lapsed"
        case firedReview = "fired.review"
        case sumReorder = "sum.reorder"
        case sumLapsed = "sum.lapsed"
        case sumReview = "sum.review"
        case armed, orders, revenue
    }
}

extension ReferenceAnswers {
    /// The specification's answers, for the sizes that it gives; nil for every other.
    package static func known(for workload: ReferenceWorkload) -> ReferenceAnswers? {
        guard workload.seed == 42 else { return nil }
        switch (workload.customers, workload.events) {
        case (1000, 100_000):
            return ReferenceAnswers(
                fired: (23_981, 2, 29_348), sums: (41_086_658_305_031_040, 3_429_094_245_120, 50_242_740_362_150_400),
                armed: 7206, orders: 29_843, revenue: 1_491_272_284)
        case (100_000, 1_000_000):
            return ReferenceAnswers(
                fired: (241_123, 73_712, 294_362),
                sums: (413_118_235_723_608_576, 126_374_575_865_238_144, 503_942_547_830_211_072),
                armed: 126_716, orders: 299_459, revenue: 15_016_691_554)
        case (1_000_000, 10_000_000):
            return ReferenceAnswers(
                fired: (2_418_050, 735_992, 2_949_386),
                sums: (4_142_852_195_779_084_430, 1_261_812_384_613_689_008, 5_049_267_796_106_477_876),
                armed: 1_261_026, orders: 2_999_344, revenue: 150_251_475_219)
        default: return nil
        }
    }

    /// Fired and sums: reorder, lapsed, review.
    private init(
        fired: (UInt64, UInt64, UInt64), sums: (UInt64, UInt64, UInt64), armed: Int64, orders: Int64, revenue: Int64
    ) {
        (firedReorder, firedLapsed, firedReview) = fired
        (sumReorder, sumLapsed, sumReview) = sums
        self.armed = armed
        self.orders = orders
        self.revenue = revenue
    }
}
