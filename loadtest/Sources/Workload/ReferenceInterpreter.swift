import Model

/// Computes the answers in the plainest way: one dictionary of timers, one heap of due times, no shards, no profiles.
///
/// Shares nothing with the engine but the values' names, so that both are right or one is found wrong.
package struct ReferenceInterpreter {
    private enum Rule { case reorder, lapsed, review }

    /// What a timer is: a new one of the same name replaces it.
    private struct Timer: Hashable {
        let customer: UInt64
        let rule: Rule
        /// Product, order, or 0.
        let subject: UInt64
    }

    private struct Entry {
        let due: Int64
        let timer: Timer
    }

    private var armed: [Timer: Int64] = [:]
    /// A binary heap by `due`; an entry whose timer was replaced is passed over when its time comes.
    private var heap: [Entry] = []
    private var answers = ReferenceAnswers()

    private init() {}

    package static func answers(for workload: ReferenceWorkload) -> ReferenceAnswers {
        var interpreter = ReferenceInterpreter()
        for index in 0..<workload.events { interpreter.apply(workload.event(at: index)) }
        interpreter.fire(through: ReferenceWorkload.closing.milliseconds)
        interpreter.answers.armed = Int64(interpreter.armed.count)
        return interpreter.answers
    }

    private mutating func apply(_ event: ReferenceEvent) {
        let time = event.time.milliseconds
        fire(through: time)
        guard event.kind == .order else { return }
        answers.orders += 1
        answers.revenue += event.amount
        arm(
            Timer(customer: event.customer, rule: .reorder, subject: event.product),
            at: time + Int64(15 + event.product % 41) * 86_400_000)
        arm(Timer(customer: event.customer, rule: .lapsed, subject: 0), at: time + 60 * 86_400_000)
        arm(Timer(customer: event.customer, rule: .review, subject: event.index), at: time + 3 * 86_400_000)
    }

    private mutating func arm(_ timer: Timer, at due: Int64) {
        armed[timer] = due
        push(Entry(due: due, timer: timer))
    }

    private mutating func fire(through time: Int64) {
        while let first = heap.first, first.due <= time {
            pop()
            guard armed[first.timer] == first.due else { continue }
            armed[first.timer] = nil
            let due = UInt64(bitPattern: first.due)
            switch first.timer.rule {
            case .reorder:
                answers.firedReorder += 1
                answers.sumReorder &+= due
            case .lapsed:
                answers.firedLapsed += 1
                answers.sumLapsed &+= due
            case .review:
                answers.firedReview += 1
                answers.sumReview &+= due
            }
        }
    }

    private mutating func push(_ entry: Entry) {
        var child = heap.count
        heap.append(entry)
        while child > 0, case let parent = (child - 1) / 2, heap[child].due < heap[parent].due {
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func pop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].due < heap[least].due {
                least = child
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
