internal import Model

/// Names for customers of whom only a number is known, so that a greeting reads like one.
enum FirstNames {
    private static let names = [
        "Ada", "Amir", "Anna", "Boris", "Clara", "Daniel", "Elena", "Emil", "Farid", "Greta", "Hugo", "Ines", "Ivan", "Jonas",
        "Julia", "Karim", "Lena", "Leo", "Maria", "Milan", "Mina", "Nadia", "Nils", "Olga", "Oscar", "Paula", "Rosa", "Sami",
        "Sofia", "Tomas", "Vera", "Yuri",
    ]

    /// The same for the same customer.
    static func name(_ customer: String) -> String { names[Int(Hashing.hash64(customer) % UInt64(names.count))] }
}
