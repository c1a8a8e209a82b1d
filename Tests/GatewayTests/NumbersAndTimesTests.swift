import Gateway
import Model
import Testing

@Suite struct MoneyParserTests {
    static let read: [(String, Int, Int64)] = [
        ("0", 2, 0), ("1", 2, 100), ("1.5", 2, 150), ("1.50", 2, 150), ("19.99", 2, 1999), ("0.01", 2, 1), ("0.005", 2, 0),
        ("0.015", 2, 2), ("0.025", 2, 2), ("0.0250001", 2, 3), ("0.035", 2, 4), ("-0.015", 2, -2),
        ("59.970000000000006", 2, 5997),
        ("0.30000000000000004", 2, 30), ("1.005", 2, 100), ("1.015", 2, 102), ("2.675", 2, 268), ("1e3", 2, 100_000),
        ("1.5E-1", 2, 15), ("12345678.9", 0, 12_345_679), ("0.5", 0, 0), ("1.5", 0, 2), ("2.5", 0, 2), ("+7", 2, 700),
        (".5", 2, 50),
        ("5.", 2, 500), ("000012.30", 2, 1230), ("1e-400", 2, 0), ("0e999999999", 2, 0), ("1.2345", 3, 1234), ("1.2355", 3, 1236),
        ("9999999999.99", 2, 999_999_999_999), ("0.000001", 6, 1), ("100000000000000e-14", 2, 100), ("-0", 2, 0),
        ("0.999", 2, 100),
        ("9.995", 2, 1000), ("0.0049999999999999999999999", 2, 0), ("0.0050000000000000000000001", 2, 1),
    ]

    @Test("decimals become minor units exactly, half to even", arguments: read)
    func reads(text: String, digits: Int, expected: Int64) throws {
        #expect(try MoneyParser.scaled(text, digits: digits, magnitudeMax: Limits.moneyMax) == expected)
    }

    @Test(
        "what is no number is refused",
        arguments: ["", "-", "+", ".", "e5", "1e", "1e+", "1,50", "1 000", "$5", "5€", "0x5", "1.2.3", "NaN", "--1", "1e5.0"])
    func refuses(text: String) {
        #expect(throws: MoneyParser.Failure.notANumber) { try MoneyParser.scaled(text, digits: 2, magnitudeMax: Limits.moneyMax) }
    }

    @Test(
        "absurd amounts are refused",
        arguments: ["10000000000.01", "1e30", "1e999999999999", "99999999999999999999999999", "-1e11"])
    func bounds(text: String) {
        #expect(throws: MoneyParser.Failure.tooLarge) { try MoneyParser.scaled(text, digits: 2, magnitudeMax: Limits.moneyMax) }
    }

    @Test func `every amount of two decimals up to 200 comes out as written`() throws {
        for minor in Int64(0)...20_000 {
            let cents = minor % 100
            let text = "\(minor / 100).\(cents < 10 ? "0" : "")\(cents)"
            #expect(try MoneyParser.scaled(text, digits: 2, magnitudeMax: Limits.moneyMax) == minor)
        }
    }
}

@Suite struct TimeParserTests {
    static let read: [(String, Int64)] = [
        ("1970-01-01T00:00:00Z", 0), ("2026-11-22T12:00:00Z", 1_795_348_800_000), ("2026-11-22T12:00:00.123Z", 1_795_348_800_123),
        ("2026-11-22T12:00:00.123456Z", 1_795_348_800_123), ("2026-11-22T12:00:00.123999+00:00", 1_795_348_800_123),
        ("2026-11-22T15:00:00+03:00", 1_795_348_800_000), ("2026-11-22T15:00:00+0300", 1_795_348_800_000),
        ("2026-11-22T15:00:00+03", 1_795_348_800_000), ("2026-11-22T06:30:00.5-05:30", 1_795_348_800_500),
        ("2026-11-22 12:00:00", 1_795_348_800_000), ("2026-11-22T12:00", 1_795_348_800_000),
        ("2026-11-22t12:00z", 1_795_348_800_000),
        ("2026-11-22", 1_795_305_600_000), ("2000-02-29T00:00:00Z", 951_782_400_000), ("2024-02-29", 1_709_164_800_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000), ("1969-12-31T23:59:59.999Z", -1), ("1900-03-01", -2_203_891_200_000),
        ("2026-11-22T12:00:00,5Z", 1_795_348_800_500), ("2026-11-22T12:00:00.123456789Z", 1_795_348_800_123),
    ]

    @Test("ISO 8601 is read exactly", arguments: read)
    func reads(text: String, milliseconds: Int64) {
        #expect(TimeParser.iso8601(text) == Instant(milliseconds: milliseconds))
    }

    @Test(
        "what is no time is refused",
        arguments: [
            "", "yesterday", "2026-13-01", "2026-00-10", "2026-02-29", "1900-02-29", "2026-11-31", "2026-11-22T24:00:00Z",
            "2026-11-22T12:60",
            "2026-11-22T12:00:61Z", "2026-11-22T12:00:00.Z", "2026-11-22T12:00:00+", "2026-11-22T12:00:00+3",
            "2026-11-22T12:00:00ZZ",
            "2026-11-22T", "2026-1-2", "22.11.2026", "2026-11-22T12:00:00 UTC", "20261122T120000Z", "2026-11-22T12:00:00+24:00",
        ])
    func refuses(text: String) {
        #expect(TimeParser.iso8601(text) == nil)
    }

    @Test(
        "numbers are seconds or milliseconds",
        arguments: [
            ("1795348800", 1_795_348_800_000), ("1795348800000", 1_795_348_800_000), ("1795348800.5", 1_795_348_800_500),
            ("1795348800123", 1_795_348_800_123), ("99999999999", 99_999_999_999_000), ("100000000000", 100_000_000_000),
        ] as [(String, Int64)])
    func epochs(text: String, milliseconds: Int64) {
        #expect(TimeParser.epoch(text) == Instant(milliseconds: milliseconds))
    }

    @Test("days agree with a count of days one by one")
    func days() {
        var expected: Int64 = TimeParser.daysSince1970(year: 1890, month: 1, day: 1) ?? 0
        #expect(expected == -29_219)
        for year in Int64(1890)...2110 {
            for month in Int64(1)...12 {
                for day in Int64(1)...31 {
                    guard let found = TimeParser.daysSince1970(year: year, month: month, day: day) else { continue }
                    #expect(found == expected)
                    expected += 1
                }
            }
        }
    }
}
