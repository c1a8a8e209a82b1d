internal import Model

/// Finds out whether what is asked for is remembered for as long as it is asked.
struct Remembered {
    let memory: Memory
    let report: Report

    /// Whether such acts are remembered at all; reports at the place when not.
    func keeps(_ act: Act, for place: Place, _ field: String) -> Bool {
        guard memory.milliseconds(of: act) == 0 else { return true }
        let name = ConditionWords.memory(of: act)
        report.add(
            place, field,
            "needs \(name) to be remembered, and installation.remember.\(name) is none; give it a length of time such as 90d")
        return false
    }

    /// Reports a period that is longer than the limit; the limit is what is remembered of such acts, or a little less.
    @discardableResult
    func check(_ period: Int64, isIn limit: Int64, _ value: Value, _ act: Act) -> Bool {
        guard period > limit else { return true }
        let name = ConditionWords.memory(of: act)
        let all = memory.milliseconds(of: act)
        report.add(
            value,
            "\(DurationText.text(period)) is "
                + (period > all
                    ? "longer than what is remembered of \(name), \(DurationText.text(all))"
                    : "as long as what is remembered of \(name), and who did it longer ago is forgotten")
                + "; raise installation.remember.\(name)")
        return false
    }
}
