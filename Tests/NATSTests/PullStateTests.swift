import SimulatedPorts
import Testing

@testable import NATS

extension SplitMix {
    fileprivate mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}

/// A stream and its consumers as the server keeps them, with messages that get lost and consumers that vanish, by seed;
/// beside it a reader's ``PullState`` whose actions are performed at some later time.
private struct Server {
    struct Consumer {
        var number: UInt64
        var next: UInt64
    }

    struct OpenRequest {
        var request: PullState.Request
        var consumer: UInt64
        var left: Int
        var bytesLeft: Int
    }

    var random: SplitMix
    var stream: [[UInt8]] = []
    var first: UInt64 = 1
    var consumers: [Consumer] = []
    var open: [OpenRequest] = []
    var pending: [PullState.Action] = []
    var budgetTaken = 0
    var budgetWaits: [(bytes: Int, consumer: UInt64)] = []
    var consumersMade: UInt64 = 0
    var now = MonotonicTime(nanoseconds: 0)
    var reached: Set<String> = []
    var establishes = true
    /// Behind this only what helps happens, so that the reader can come to the end.
    var isKind = false

    var last: UInt64 { UInt64(stream.count) }

    mutating func write() {
        let size = random.below(40) == 0 ? PullState.Bounds.tailBytes + 1 : random.below(2000)
        stream.append([UInt8](repeating: UInt8(truncatingIfNeeded: stream.count), count: size))
    }

    mutating func take(_ actions: [PullState.Action]) { pending += actions }

    /// Performs one action that the reader asked for; `false` = there was none.
    mutating func perform(_ state: inout PullState) -> Bool {
        guard !pending.isEmpty else { return false }
        switch pending.removeFirst() {
        case .send(let request, let consumer):
            guard isKind || random.below(20) > 0 else {
                reached.insert("request lost")
                return true
            }
            open.append(
                OpenRequest(
                    request: request, consumer: consumer, left: request.batch,
                    bytesLeft: request.bytesMax > 0 ? request.bytesMax : Int.max))
        case .takeBudget(let bytes, let consumer): budgetWaits.append((bytes, consumer))
        case .giveBudgetBack(let bytes):
            budgetTaken -= bytes
            #expect(budgetTaken >= 0)
        case .establish: establishes = true
        case .examine(let found):
            #expect(found > state.wanted)
            reached.insert("gap examined")
            take(state.lost())
        }
        return true
    }

    mutating func establish(_ state: inout PullState) {
        guard establishes else { return }
        establishes = false
        consumersMade += 1
        consumers.append(Consumer(number: consumersMade, next: state.wanted))
        take(state.established(consumer: consumersMade, pending: last - (state.wanted - 1), now: now))
    }

    mutating func grant(_ state: inout PullState) {
        guard !budgetWaits.isEmpty else { return }
        let wait = budgetWaits.removeFirst()
        budgetTaken += wait.bytes
        reached.insert("budget taken")
        take(state.granted(wait.bytes, consumer: wait.consumer))
    }

    /// Serves one open request by one message, or by the word that it is over.
    mutating func serve(_ state: inout PullState) {
        guard !open.isEmpty else { return }
        let index = random.below(open.count)
        let request = open[index]
        guard let consumer = consumers.firstIndex(where: { $0.number == request.consumer }) else {
            open.remove(at: index)
            reached.insert("consumer gone")
            return take(
                state.received(
                    status: 409, "Consumer Deleted", consumer: request.consumer, request: request.request.number, now: now))
        }
        let sequence = consumers[consumer].next
        guard sequence <= last else {
            guard random.below(8) == 0 else { return }
            open.remove(at: index)
            reached.insert("request expired")
            return take(
                state.received(
                    status: 408, "Request Timeout", consumer: request.consumer, request: request.request.number, now: now))
        }
        let payload = stream[Int(sequence) - 1]
        guard payload.count <= request.bytesLeft else {
            open.remove(at: index)
            reached.insert(request.left == request.request.batch ? "message above the bound" : "bytes used up")
            return take(
                state.received(
                    status: 409, "Message Size Exceeds MaxBytes", consumer: request.consumer,
                    request: request.request.number, now: now))
        }
        consumers[consumer].next += 1
        open[index].left -= 1
        open[index].bytesLeft -= payload.count
        if open[index].left == 0 { open.remove(at: index) }
        guard isKind || random.below(60) > 0 else {
            reached.insert("message lost")
            return
        }
        take(
            state.received(
                DeliverySubject(consumer: request.consumer, sequence: sequence, timeNanoseconds: 0, pending: last - sequence),
                payload: payload, now: now))
    }

    mutating func forgetConsumer() {
        guard !consumers.isEmpty else { return }
        consumers.remove(at: random.below(consumers.count))
    }

    mutating func passTime(_ state: inout PullState) {
        now = now + .seconds(4)
        let actions = state.looked(now: now)
        if !actions.isEmpty { reached.insert("silence noticed") }
        take(actions)
    }
}

@Suite struct PullStateTests {
    @Test("I6 every record is read once and in order, whatever is lost on the way", arguments: 1...40)
    func readsEverything(seed: Int) {
        var server = Server(random: SplitMix(seed: UInt64(seed)))
        var state = PullState(from: 1)
        var read: [UInt64] = []
        for round in 0..<4000 {
            server.isKind = round > 3000
            switch server.random.below(server.isKind ? 6 : 8) {
            case 0 where !server.isKind: for _ in 0..<server.random.below(12) { server.write() }
            case 0, 1: server.establish(&state)
            case 2: server.grant(&state)
            case 3, 4: for _ in 0..<20 { server.serve(&state) }
            case 5:
                for record in state.take(max: 1 + server.random.below(300)) {
                    #expect(record.payload == server.stream[Int(record.sequence) - 1])
                    read.append(record.sequence)
                }
                server.take(state.ask())
            case 6 where server.random.below(10) == 0: server.forgetConsumer()
            case 7 where server.random.below(10) == 0: server.take(state.lost())
            default: break
            }
            if round % 50 == 49 { server.passTime(&state) }
            while server.random.below(5) > 0, server.perform(&state) {}
        }
        #expect(read == Array(1...server.last))
        server.take(state.close())
        while server.perform(&state) {}
        while !server.budgetWaits.isEmpty {
            server.grant(&state)
            while server.perform(&state) {}
        }
        #expect(server.budgetTaken == 0, "what was taken from the connection's budget is given back")
    }

    @Test("the rare ways are reached by the seeds above")
    func reachesTheRareWays() {
        var reached: Set<String> = []
        for seed in 1...40 {
            var server = Server(random: SplitMix(seed: UInt64(seed)))
            var state = PullState(from: 1)
            for _ in 0..<3000 {
                switch server.random.below(8) {
                case 0: for _ in 0..<server.random.below(12) { server.write() }
                case 1: server.establish(&state)
                case 2: server.grant(&state)
                case 3, 4: for _ in 0..<20 { server.serve(&state) }
                case 5:
                    _ = state.take(max: 300)
                    server.take(state.ask())
                case 6 where server.random.below(10) == 0: server.forgetConsumer()
                default: if server.random.below(50) == 0 { server.passTime(&state) }
                }
                while server.perform(&state) {}
            }
            reached.formUnion(server.reached)
        }
        #expect(
            reached == [
                "request lost", "gap examined", "budget taken", "consumer gone", "request expired", "message above the bound",
                "bytes used up", "message lost", "silence noticed",
            ])
    }

    @Test("I8 nothing more is asked for while the buffer is full")
    func holdsItsBound() {
        var state = PullState(from: 1)
        var actions = state.established(consumer: 1, pending: 1_000_000, now: MonotonicTime(nanoseconds: 0))
        var sequence: UInt64 = 0
        var buffered = 0
        while let action = actions.popLast() {
            switch action {
            case .takeBudget(let bytes, let consumer): actions = state.granted(bytes, consumer: consumer)
            case .send(let request, let consumer):
                for _ in 0..<request.batch {
                    sequence += 1
                    buffered += 1000
                    actions += state.received(
                        DeliverySubject(
                            consumer: consumer, sequence: sequence, timeNanoseconds: 0, pending: 1_000_000 - sequence),
                        payload: [UInt8](repeating: 0, count: 1000), now: MonotonicTime(nanoseconds: 0))
                }
            case .giveBudgetBack: break
            case .establish, .examine: Issue.record("nothing is lost here: \(action)")
            }
        }
        #expect(buffered >= PullState.Bounds.bufferedBytes)
        #expect(buffered <= PullState.Bounds.bufferedBytes + PullState.Bounds.catchUpBatch * 1000)
        #expect(state.ask().isEmpty)
        _ = state.take(max: Int(sequence))
        #expect(!state.ask().isEmpty)
    }

    @Test("a message of an earlier consumer is not taken")
    func ignoresEarlierConsumers() {
        var state = PullState(from: 5)
        _ = state.established(consumer: 1, pending: 1, now: MonotonicTime(nanoseconds: 0))
        #expect(state.lost() == [.establish])
        _ = state.established(consumer: 2, pending: 1, now: MonotonicTime(nanoseconds: 0))
        let late = DeliverySubject(consumer: 1, sequence: 5, timeNanoseconds: 0, pending: 0)
        #expect(state.received(late, payload: [1], now: MonotonicTime(nanoseconds: 0)).isEmpty)
        #expect(state.isEmpty)
    }
}
