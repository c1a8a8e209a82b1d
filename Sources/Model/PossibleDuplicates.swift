/// Answer to `shard.<n>.duplicates`: identifiers at home in the shard that several customers claim, none of them verified,
/// by the order in which the identifiers became known; at most ``Limits/duplicatesListedMax``.
package struct PossibleDuplicates: Codable, Equatable, Sendable {
    package struct Group: Codable, Equatable, Sendable {
        package var identifier: String
        /// By the order of their claims: events with nothing but the identifier go to the first.
        package var customers: [String]

        package init(identifier: String, customers: [String]) {
            self.identifier = identifier
            self.customers = customers
        }
    }

    package var groups: [Group]
    /// There are more than are listed.
    package var isCut: Bool

    package init(groups: [Group], isCut: Bool) {
        self.groups = groups
        self.isCut = isCut
    }
}
