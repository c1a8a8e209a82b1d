@testable import Engine
import Model
import Testing

@Suite("Quiet hours")
struct QuietHoursTests {
    private static func zone(_ name: String, _ initial: Int32, _ transitions: [(Int64, Int32)]) -> ZoneTable {
        ZoneTable(
            name: name, initialOffsetSeconds: initial,
            transitions: transitions.map { .init(at: Instant(milliseconds: $0.0 * 1000), offsetSeconds: $0.1) })
    }

    /// Berlin's year 2024; half an hour, and at local midnight; a day that is left out.
    static let zones = [
        zone("Berlin", 3600, [(1_711_846_800, 7200), (1_729_990_800, 3600)]),
        zone("Lord Howe", 39600, [(1_712_415_600, 37800), (1_728_142_200, 39600)]),
        zone("midnight", -14400, [(1_711_857_600, -10800), (1_729_998_000, -14400)]),
        zone("a day left out", -36000, [(1_711_846_800, 50400)]),
    ]

    private func offset(_ zone: ZoneTable, _ minute: Int64) -> Int64 {
        Int64(zone.transitions.last { $0.at.milliseconds <= minute * 60_000 }?.offsetSeconds ?? zone.initialOffsetSeconds) / 60
    }

    private func allows(_ hours: AllowedHours, _ zone: ZoneTable, _ minute: Int64) -> Bool {
        let local = minute + offset(zone, minute)
        let day = local / 1440
        func begins(_ day: Int64) -> Bool { hours.weekdays >> UInt8((day + 3) % 7) & 1 == 1 }
        let (from, to) = (Int64(hours.fromMinute), Int64(hours.toMinute))
        if from == to { return begins(day) }
        let length = (to - from + 1440) % 1440
        return [day, day - 1].contains { begins($0) && ($0 * 1440 + from..<$0 * 1440 + from + length).contains(local) }
    }

    @Test("the next allowed instant is the first, minute by minute", arguments: 0..<120 as Range<UInt64>)
    func first(seed: UInt64) throws {
        var dice = Dice(seed: seed)
        let zone = dice.pick(Self.zones)
        let minutes: [UInt16] = [0, 1, 60, 90, 120, 150, 180, 540, 1260, 1380, 1439]
        let hours = AllowedHours(
            fromMinute: dice.pick(minutes), toMinute: dice.pick(minutes),
            weekdays: dice.chance(50) ? 0x7f : dice.pick([1, 0x1f, 0x60, 0x40, 0x20]))
        let change = dice.pick(zone.transitions).at
        let instant = change + (dice.below(6 * Milliseconds.day) - 3 * Milliseconds.day)
        var minute = instant.milliseconds / 60_000
        var expected: Instant?
        if allows(hours, zone, minute) { expected = instant }
        while expected == nil && minute < instant.milliseconds / 60_000 + 14 * 1440 {
            minute += 1
            if allows(hours, zone, minute) { expected = Instant(milliseconds: minute * 60_000) }
        }
        #expect(hours.nextAllowed(from: instant, in: zone) == expected, "in \(zone.name) from \(instant.milliseconds)")
    }

    @Test("spans, weekdays and both changes of the clocks, by hand")
    func byHand() {
        let berlin = Self.zones[0]
        func next(_ hours: AllowedHours, _ seconds: Int64) -> Int64? {
            hours.nextAllowed(from: Instant(milliseconds: seconds * 1000), in: berlin).map { $0.milliseconds / 1000 }
        }
        // 2024-03-31 01:30 local; the hour from two to three is left out: half past two is not, three is.
        let skipped = AllowedHours(fromMinute: 120, toMinute: 210)
        #expect(next(skipped, 1_711_845_000) == 1_711_846_800)
        // 2024-10-27 02:30 comes twice: allowed both times.
        let twice = AllowedHours(fromMinute: 150, toMinute: 160)
        let back: Int64 = 1_729_990_800
        let (early, late) = (next(twice, back - 3600), next(twice, back))
        #expect(early == Int64(1_729_989_000))
        #expect(late == Int64(1_729_992_600))
        // Saturday's night reaches into Sunday, and Sunday's does not begin.
        let saturday = AllowedHours(fromMinute: 1320, toMinute: 120, weekdays: 0x20)
        let sundayMidnight: Int64 = 1_704_582_000
        #expect(next(saturday, sundayMidnight) == sundayMidnight)
        #expect(next(saturday, sundayMidnight + 7200) == sundayMidnight + 7 * 86_400 - 7200)
    }
}
