import Synchronization
import Testing

@testable import NATS

@Suite struct ReadBudgetTests {
    private final class Grants: Sendable {
        private let names = Mutex<[String]>([])
        var all: [String] { names.withLock { $0 } }
        func add(_ name: String) { names.withLock { $0.append(name) } }
    }

    @Test("I8 no more is granted than there is, and first come is first served")
    func isFair() {
        let budget = ReadBudget(bytesMax: 10)
        let grants = Grants()
        budget.take(6) { grants.add("first") }
        budget.take(6) { grants.add("second") }
        budget.take(1) { grants.add("third") }
        #expect(grants.all == ["first"], "the small one waits behind the large one, or that would wait for ever")
        budget.giveBack(6)
        #expect(grants.all == ["first", "second", "third"])
        budget.take(4) { grants.add("fourth") }
        #expect(grants.all.count == 3)
        budget.giveBack(1)
        #expect(grants.all.last == "fourth")
    }
}
