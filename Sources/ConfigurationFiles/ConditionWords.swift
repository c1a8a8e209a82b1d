internal import Model

/// What the fields of conditions are called, for reading and for writing.
enum ConditionWords {
    /// For comparing numbers and amounts.
    static let counts: KeyValuePairs<String, Comparison> = [
        "at_least": .atLeast, "at_most": .atMost, "more_than": .greater, "less_than": .less, "exactly": .equal,
    ]
    /// For comparing ages. What is older than 60 days and what is within 60 days leave nobody between them.
    static let ages: KeyValuePairs<String, Comparison> = [
        "older_than": .atLeast, "within": .less, "more_than": .greater, "at_most": .atMost, "exactly": .equal,
    ]
    static let figures: KeyValuePairs<String, OrderFigure> = [
        "orders": .count, "order_sum": .sum, "order_average": .average,
    ]
    static let acts: KeyValuePairs<String, Act> = ["bought": .bought, "viewed": .viewed, "added_to_cart": .addedToCart]
    static let signs: KeyValuePairs<String, EngagementSign> = [
        "message_sent": .sent, "message_opened": .opened, "message_clicked": .clicked,
    ]
    static let channels: KeyValuePairs<String, Channel> = ["email": .email, "sms": .sms]
    static let consents: KeyValuePairs<String, ConsentState> = [
        "granted": .granted, "withheld": .withheld, "unknown": .unknown,
    ]
    static let goods = ["products", "categories", "brands"]

    static let birthdayTrait = "birthday"
    static let tierTrait = "loyalty_tier"
    static let pointsTrait = "loyalty_points"
    /// A tag is a trait whose name begins so.
    static let tagPrefix = "tag:"

    /// Digits after the point of a trait's number, and of an interest.
    static let traitDigits = 4
    static let interestDigits = 2

    /// What is remembered of this act, as `installation.remember` calls it.
    static func memory(of act: Act) -> String {
        switch act {
        case .bought: "purchases"
        case .viewed, .addedToCart: "browsing"
        }
    }

    static func meaning<Meaning>(_ word: String, in words: KeyValuePairs<String, Meaning>) -> Meaning? {
        words.first { $0.key == word }?.value
    }

    static func word<Meaning: Equatable>(_ meaning: Meaning, in words: KeyValuePairs<String, Meaning>) -> String {
        guard let word = words.first(where: { $0.value == meaning })?.key else {
            preconditionFailure("every value that files can state has its word")
        }
        return word
    }
}
