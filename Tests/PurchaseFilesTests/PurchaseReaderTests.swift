import Model
import Testing

@testable import PurchaseFiles

@Suite struct PurchaseReaderTests {
    private func read(_ text: String, format: PurchaseFormat? = nil) throws -> [PurchaseReader.Element] {
        var reader = PurchaseReader(format: format)
        return try reader.read(Array(text.utf8)) + reader.finish()
    }

    private func reason(_ row: String) throws -> String {
        let found = try read("order_id,customer_id,email,date,product,quantity,total\n" + row + "\nok,c,,2024-01-01,,,1\n")
        let last = try #require(found.last)
        guard case .success = last else { return "the row after it was lost" }
        guard case .failure(let broken) = found[0] else { return "read" }
        return broken.description
    }

    @Test(arguments: [
        " 00004 0001 19970101  2   29.33\r\n 00004 0001 19970118  2   29.73\r\n",
        "00004,1997-01-01,2,29.33\n00004,1997-01-18,2,29.73",
        "customer_id,date,number_of_cds,dollar_value\n00004,1997-01-01,2,29.33\n00004,1997-01-18,2,29.73",
        " customer_id  date number_of_cds  dollar_value\r\n 00004 19970101  2   29.33\r\n 00004 19970118  2   29.73\r\n",
    ])
    func `the forms of the CDNOW data read alike`(text: String) throws {
        let found = try read(text).map { try $0.get() }
        #expect(found.map(\.customerID) == ["00004", "00004"])
        #expect(found.map { CalendarDate.text($0.time) } == ["1997-01-01T12:00:00.000Z", "1997-01-18T12:00:00.000Z"])
        #expect(found.map(\.total.description) == ["29.33", "29.73"])
        #expect(found.allSatisfy { $0.lines.count == 1 && $0.lines[0].quantity == 2 && $0.lines[0].product == "cd" })
        #expect(Set(found.map(\.orderID)).count == 2)
        #expect(found.allSatisfy { $0.email == "customer-00004@example.com" && !$0.firstName.isEmpty })
    }

    @Test func `an order of zero is an order`() throws {
        let found = try read(" 00004 0001 19970101  2   0.00\n")
        #expect(try found.map { try $0.get().total.description } == ["0.00"])
    }

    @Test func `broken CDNOW rows are named and the rest goes in`() throws {
        let text = " 1 1 19970101 1 2.00\n 2 1 19971301 1 2.00\n 3 1 19970101 x 2.00\n nonsense\n 5 1 19970101 1 2.00\n"
        var purchases: [Purchase] = []
        var broken: [BrokenRow] = []
        for element in try read(text) {
            switch element {
            case .success(let purchase): purchases.append(purchase)
            case .failure(let row): broken.append(row)
            }
        }
        #expect(purchases.map(\.customerID) == ["1", "5"])
        #expect(purchases.map(\.row) == [1, 5])
        #expect(broken.map(\.row) == [2, 3, 4])
        #expect(broken[0].reason == "date '19971301' is no day between 1980 and 2099, as YYYYMMDD or YYYY-MM-DD")
    }

    @Test func `rows of one order become its lines`() throws {
        let found = try read(
            """
            total;product;order_id;customer_id;date;colour
            10.50;tea;o1;c1;2024-05-31T18:30:00+02:00;red
            4.25;milk;o1;c1;2024-05-31T18:30:00+02:00;white
            1;;o2;c2;2024-05-31;
            """
        ).map { try $0.get() }
        #expect(found.map(\.orderID) == ["o1", "o2"])
        #expect(found[0].lines.map(\.product) == ["tea", "milk"])
        #expect(found[0].total.description == "14.75")
        #expect(CalendarDate.text(found[0].time) == "2024-05-31T16:30:00.000Z")
        #expect(found[1].row == 4)
    }

    @Test(arguments: [
        (",c,,2024-01-01,,,1", "row 2: order_id: 1 to 90 bytes, not 0"),
        ("o,,,2024-01-01,,,1", "row 2: customer_id: 1 to 128 bytes, not 0"),
        (
            "o,c,,2024-02-30,,,1",
            "row 2: date '2024-02-30': a day or time between 1980 and 2099 is wanted, as 2024-05-31 or 2024-05-31T18:30:00Z"
        ),
        (
            "o,c,,1970-01-01,,,1",
            "row 2: date '1970-01-01': a day or time between 1980 and 2099 is wanted, as 2024-05-31 or 2024-05-31T18:30:00Z"
        ),
        ("o,c,,2024-01-01,,,-1", "row 2: total '-1': an amount of 0 or more with at most four decimals is wanted, as 29.90"),
        ("o,c,,2024-01-01,,0,1", "row 2: quantity '0': a number from 1 to 1000000 is wanted"),
        ("o,c,nobody,2024-01-01,,,1", "row 2: email 'nobody': an address of at most 128 bytes is wanted"),
        ("o,c", "row 2: 2 columns where the heading has 7"),
        ("ok,d,,2024-01-01,,,1", "read"),
    ])
    func `a broken row says what is wrong and what is allowed`(row: String, expected: String) throws {
        #expect(try reason(row) == expected || row.hasPrefix("ok"))
    }

    @Test func `a file of another kind is refused`() {
        #expect(throws: BrokenRow.self) { try read("name,colour\nx,red\n") }
        #expect(throws: BrokenRow.self) { try read("order_id,date\nx,2024-01-01\n", format: .orders) }
        #expect(throws: BrokenRow.self) { try read("order_id,order_id,customer_id,date,total\n", format: .orders) }
    }

    @Test func `the simulated shop is the same each time and its days are in order`() {
        let purchases = SimulatedShop.purchases()
        #expect(purchases == SimulatedShop.purchases())
        #expect(purchases.count > 2000)
        #expect(zip(purchases, purchases.dropFirst()).allSatisfy { $0.time <= $1.time })
        #expect(Set(purchases.map(\.orderID)).count == purchases.count)
    }
}

@Suite struct AmountTests {
    @Test(arguments: [
        ("0", "0.00"), ("29.33", "29.33"), ("-1.5", "-1.50"), ("0.1234", "0.1234"), (".5", "0.50"),
        ("10000000000", "10000000000.00"),
    ])
    func `amounts read and print`(text: String, printed: String) {
        #expect(Amount(text)?.description == printed)
    }

    @Test(arguments: ["", "-", ".", "1.23456", "1e3", "NaN", "10000000000.01", "1,5", "0x10", "100000000000"])
    func `what is no amount is none`(text: String) { #expect(Amount(text) == nil) }

    @Test func `a price is rounded to the hundredth, halves up`() throws {
        let total = try #require(Amount("29.33"))
        #expect(total.divided(among: 2).description == "14.67")
        #expect(total.divided(among: 1) == total)
    }
}

@Suite struct CalendarDateTests {
    @Test(arguments: [
        ("19970101", "1997-01-01T12:00:00.000Z"), ("2000-02-29", "2000-02-29T12:00:00.000Z"),
        ("2024-12-31T23:59:59.999Z", "2024-12-31T23:59:59.999Z"), ("2024-01-01 00:30", "2024-01-01T00:30:00.000Z"),
        ("2024-01-01T00:30:00-01:30", "2024-01-01T02:00:00.000Z"), ("2024-01-01T00:30:00.123456Z", "2024-01-01T00:30:00.123Z"),
    ])
    func `dates read and print`(text: String, printed: String) throws {
        #expect(try CalendarDate.text(#require(CalendarDate.instant(text))) == printed)
    }

    @Test(arguments: [
        "1900-02-29", "2023-02-29", "2024-13-01", "2024-00-10", "2024-01-01T24:00", "2024-01-01T10", "yesterday", "2100-01-01",
        "20240101x", "2024-01-01T10:00:00.Z",
    ])
    func `what is no date is none`(text: String) { #expect(CalendarDate.instant(text) == nil) }

    @Test func `every day of a century is its own`() {
        var day = Instant(milliseconds: 315_532_800_000)
        while day < Limits.timeMax {
            #expect(CalendarDate.instant(CalendarDate.day(day)) == day + 12 * Milliseconds.hour)
            day = day + Milliseconds.day
        }
    }
}

@Suite struct SegmentBatchTests {
    @Test func `a batch is what a Segment client sends`() throws {
        let time = try #require(CalendarDate.instant("1997-01-01"))
        let purchase = Purchase(
            row: 1, orderID: "o\"1\\", customerID: "c\n1", email: "a@example.com", firstName: "Ada", time: time,
            lines: [Purchase.Line(product: "cd", name: "CD", quantity: 2, total: Amount(tenThousandths: 293_300))])
        var batch = SegmentBatch()
        batch.identify(purchase)
        batch.orderCompleted(purchase)
        let text = String(decoding: batch.body(), as: UTF8.self)
        #expect(batch.count == 2)
        #expect(text.hasPrefix("{\"batch\":[{\"type\":\"identify\",\"messageId\":\""))
        #expect(text.contains("\"userId\":\"c\\u000a1\",\"timestamp\":\"1997-01-01T12:00:00.000Z\""))
        #expect(text.contains("\"traits\":{\"email\":\"a@example.com\",\"consent\":{\"email\":true},\"firstName\":\"Ada\"}}"))
        #expect(
            text.hasSuffix(
                "\"event\":\"Order Completed\",\"properties\":{\"order_id\":\"o\\\"1\\\\\",\"revenue\":29.33,"
                    + "\"products\":[{\"product_id\":\"cd\",\"name\":\"CD\",\"quantity\":2,\"price\":14.67}]}}]}"
            ))
    }

    @Test func `an order of which no product is told has none`() throws {
        let time = try #require(CalendarDate.instant("1997-01-01"))
        let purchase = Purchase(
            row: 1, orderID: "o", customerID: "c", email: "", time: time,
            lines: [Purchase.Line(product: "", name: "", quantity: 1, total: Amount(tenThousandths: 50_000))])
        var batch = SegmentBatch()
        batch.orderCompleted(purchase)
        #expect(String(decoding: batch.body(), as: UTF8.self).hasSuffix("\"revenue\":5.00,\"products\":[]}}]}"))
    }

    @Test func `the same purchase has the same message ids`() throws {
        let purchase = try #require(SimulatedShop.purchases().first)
        var (left, right) = (SegmentBatch(), SegmentBatch())
        left.orderCompleted(purchase)
        right.orderCompleted(purchase)
        #expect(left.body() == right.body())
    }
}
