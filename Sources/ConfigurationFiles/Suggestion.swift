/// What somebody may have meant.
enum Suggestion {
    /// ` did you mean 'mechanic'?` with a leading space and semicolon, or nothing.
    static func text(for word: String, among allowed: [String]) -> String {
        guard let nearest = nearest(to: word, among: allowed) else { return "" }
        return "; did you mean '\(nearest)'?"
    }

    static func nearest(to word: String, among allowed: [String]) -> String? {
        guard word.count <= 64 else { return nil }
        let bound = max(2, word.count / 3)
        let best = allowed.map { (distance(word, $0), $0) }.min { $0 < $1 }
        guard let best, best.0 <= bound, best.0 < word.count else { return nil }
        return best.1
    }

    /// Letters to insert, remove, replace, or swap with their neighbour.
    static func distance(_ left: String, _ right: String) -> Int {
        let a = Array(left.lowercased())
        let b = Array(right.lowercased())
        if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
        var before: [Int] = []
        var previous = Array(0...b.count)
        for i in 1...a.count {
            var row = [i]
            for j in 1...b.count {
                let replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                var cost = min(previous[j] + 1, row[j - 1] + 1, replaced)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { cost = min(cost, before[j - 2] + 1) }
                row.append(cost)
            }
            before = previous
            previous = row
        }
        return previous[b.count]
    }
}
