import Testing

@testable import NATS

@Suite struct DeliverySubjectTests {
    private func read(_ subject: String) -> DeliverySubject? {
        var subject = subject
        return subject.withUTF8 { unsafe DeliverySubject($0) }
    }

    @Test("the short form, of servers without a domain")
    func readsTheShortForm() throws {
        let subject = try #require(read("$JS.ACK.reprise_IN_3.reprise-8f2c-17.1.4711.9.1763830000123456789.42"))
        #expect(subject.consumer == 17)
        #expect(subject.sequence == 4711)
        #expect(subject.timeNanoseconds == 1_763_830_000_123_456_789)
        #expect(subject.pending == 42)
    }

    @Test("the long form, with domain and account, with and without the token at the end", arguments: ["", ".x7"])
    func readsTheLongForm(end: String) throws {
        let subject = try #require(read("$JS.ACK.hub.ACCHASH.reprise_IN_3.reprise-8f2c-17.1.4711.9.1763830000123456789.42" + end))
        #expect(subject.consumer == 17)
        #expect(subject.sequence == 4711)
        #expect(subject.timeNanoseconds == 1_763_830_000_123_456_789)
        #expect(subject.pending == 42)
    }

    @Test(
        "what is no delivery is refused",
        arguments: [
            "", "$JS.ACK.", "$JS.API.CONSUMER.INFO.x.y", "$JS.ACK.s.c.1.2.3.4", "$JS.ACK.s.name-without-number.1.2.3.4.5",
            "$JS.ACK.s.c-1.1.x.3.4.5", "$JS.ACK.s.c-1.1.99999999999999999999999.3.4.5", "$JS.ACK.s.c-1.1..3.4.5",
            "$JS.ACK.s.c-1.1.2.3.18446744073709551615.5", "$JS.ACK.a.b.s.c-1.1.2.3.4.5.6.7.8.9.10",
        ])
    func refusesOthers(subject: String) {
        #expect(read(subject) == nil)
    }
}
