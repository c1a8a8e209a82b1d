internal import Model

/// The kinds of identifiers that are known by name; any other type in `context.externalIds` is an external one.
enum IdentifierForm: CaseIterable {
    case email, phone, card

    /// Names under which it is found in externalIds (as type), traits and properties.
    var names: [StaticString] {
        switch self {
        case .email: ["email"]
        case .phone: ["phone", "phone_number", "phoneNumber"]
        case .card: ["card", "loyalty_card", "loyaltyCard", "card_number", "cardNumber"]
        }
    }

    /// Names of the traits that say that it was verified; the first of each is OpenID Connect's.
    var verifiedNames: [StaticString] {
        switch self {
        case .email: ["email_verified", "emailVerified"]
        case .phone: ["phone_number_verified", "phone_verified", "phoneVerified"]
        case .card: ["card_verified", "cardVerified"]
        }
    }

    func key(_ text: String, at path: String) throws(FieldError) -> CustomerKey {
        switch self {
        case .email: CustomerKey("email:" + (try ContactForms.email(text, at: path)).lowercased())
        case .phone: CustomerKey("phone:" + (try ContactForms.phone(text, at: path)).filter { $0 != "+" })
        case .card: CustomerKey("card:" + text)
        }
    }

    /// The form that goes by this type in `context.externalIds`.
    init?(type: String) {
        guard let form = Self.allCases.first(where: { $0.names.contains { $0.description == type } }) else { return nil }
        self = form
    }
}
