import Model
import Testing

@testable import Engine

@Suite("Profiles")
struct ProfileTests {
    @Test("packed and unpacked, a profile is what it was", arguments: 0..<200 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var dice = Dice(seed: seed)
        let profile = RandomProfile.make(&dice, most: false)
        var writer = ByteWriter()
        profile.pack(into: &writer)
        var read = Profile()
        read.views = 99
        var reader = ByteReader(writer.bytes)
        try read.unpack(from: &reader)
        #expect(read == profile)
        for length in 0..<min(writer.bytes.count, 40) {
            var cut = ByteReader(Array(writer.bytes.prefix(length)))
            #expect(throws: FormatError.self) { try read.unpack(from: &cut) }
        }
    }

    @Test("I8 a profile at all its bounds fits")
    func atBounds() throws {
        var dice = Dice(seed: 1)
        let profile = RandomProfile.make(&dice, most: true)
        var writer = ByteWriter()
        profile.pack(into: &writer)
        #expect(writer.count + 1 + Limits.customerKeyBytesMax <= Limits.profileBytesMax, "\(writer.count) bytes")
        var read = Profile()
        var reader = ByteReader(writer.bytes)
        try read.unpack(from: &reader)
        #expect(read == profile)
    }

    @Test("I8 events that go beyond every bound of a profile stop nothing")
    func beyond() async throws {
        let rules = Story.rules([
            Story.lapse(after: 1, action: .record), Story.reorder(after: 300, action: .record),
            Story.review(after: 1, window: 900),
        ])
        let harness = try ShardHarness(timeMode: .live, rules: rules)
        let long = String(repeating: "x", count: 100)
        let traits = (100..<100 + Limits.traitsMax - 1).map { Trait("t\($0)", long) }
        try await harness.put(.events([Story.identify([Trait("email", "a@example.org")] + traits)]), at: Story.start)
        var touched = 0
        for index in 0..<Int64(Limits.ordersKeptMax + 10) {
            let time = Story.day(2 * index)
            let products = (0..<5).map { "\(long)-\(index)-\($0)" }
            try await harness.put(.events([Story.order("\(long)-\(index)", .fulfilled, 10, of: products, at: time)]), at: time)
            let due = Story.day(2 * index + 1)
            for opened in try await harness.tick(due).opened where opened.channel == .email {
                let told = [Story.request(opened.action), Story.outcome(opened.action, .sent)]
                touched += try await harness.put(.events(told), at: due).closed.count
            }
        }
        let view = await harness.view(Story.anna)
        #expect(touched > Limits.touchesMax && view.orders.count == Limits.ordersKeptMax)
        #expect(view.orderCount == Int64(Limits.ordersKeptMax + 10) && view.timers.count > Limits.timersMax - 5)
        let effects = try await harness.effects()
        #expect(effects.sum(.timersArmed) == Int64(view.timers.count))
        #expect(try await harness.replay())
        #expect(try await harness.replay(from: 100))
    }
}
