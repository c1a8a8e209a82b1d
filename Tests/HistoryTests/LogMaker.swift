import Model
import Ports
import SimulatedPorts

/// A shard's two logs by hand: inputs, then commits that say how far they read them.
struct LogMaker {
    static let start = Instant(milliseconds: 1_700_000_000_000)

    let shard: ShardID
    private(set) var inputs: [LogRecord] = []
    private(set) var commits: [LogRecord] = []
    private var hash = Halves(0)

    init(shard: Int = 0) {
        self.shard = ShardID(index: shard)
        commit([])
    }

    /// Appends to IN; the record's sequence. One minute passes with each.
    @discardableResult
    mutating func input(_ message: InputMessage) -> UInt64 {
        let sequence = UInt64(inputs.count + 1)
        let time = Self.start + Int64(sequence) * Milliseconds.minute
        inputs.append(LogRecord(sequence: sequence, time: time, payload: message.encoded()))
        return sequence
    }

    /// Appends to LOG; without steps it is a fence.
    mutating func commit(_ steps: [Step]) {
        let number = UInt64(commits.count + 1)
        let commit = Commit(
            kind: steps.isEmpty ? .fence : .steps, shard: shard, epoch: 1, number: number, previousHash: hash.value, brain: 1,
            owner: "w#1", steps: steps)
        let encoded = commit.encoded()
        hash = Halves(encoded.hash)
        commits.append(LogRecord(sequence: number, time: Self.start, payload: encoded.bytes))
    }

    /// A step that ends there.
    func step(_ input: UInt64, _ through: UInt32, _ effects: [Effect] = []) -> Step {
        var writer = ByteWriter()
        for effect in effects { effect.write(to: &writer) }
        return Step(
            inputSequence: input, eventsThrough: through, clock: Self.start + Int64(input) * Milliseconds.minute, wakeUps: 0,
            configuration: 1, effects: writer.bytes)
    }

    /// Writes both logs from where a store has them.
    func write(to logs: SimulatedLogStore) async throws {
        for record in inputs.dropFirst(Int(try await logs.state(of: .input(shard)).last)) {
            _ = try await logs.append(to: .input(shard), record.payload)
        }
        for record in commits.dropFirst(Int(try await logs.state(of: .commits(shard)).last)) {
            _ = try await logs.append(to: .commits(shard), record.payload)
        }
    }
}

func placed(_ order: String, of customer: String, message: UInt128 = 0, at minutes: Int64 = 0) -> Event {
    Event(
        messageID: message, customer: CustomerKey(customer), time: LogMaker.start + minutes * Milliseconds.minute,
        body: .order(
            OrderEvent(
                orderID: order, change: .placed, revenue: 1250,
                lines: [OrderLine(product: Product(id: "tea"), quantity: 2), OrderLine(product: Product(id: "milk"))])))
}

func viewed(_ product: String, by customer: String, message: UInt128 = 0) -> Event {
    Event(
        messageID: message, customer: CustomerKey(customer), time: LogMaker.start,
        body: .product(ProductEvent(kind: .viewed, product: Product(id: product))))
}
