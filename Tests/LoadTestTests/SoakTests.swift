import Testing

@testable import loadtest

@Suite struct GrowthTests {
    private func seconds(_ value: (Int) -> Double) -> [(seconds: Double, value: Double)] {
        (1...90).map { (Double($0), value($0)) }
    }

    @Test func `what grows only while it warms up is allowed`() {
        let growth = Growth(of: seconds { Double(min($0, 30)) }, least: 0, share: 0)
        #expect(growth.before == 30)
        #expect(growth.after == 30)
        #expect(growth.perHour == 0)
        #expect(growth.isAllowed)
    }

    @Test func `what grows on and on is not`() {
        let growth = Growth(of: seconds { Double($0) }, least: 10, share: 0)
        #expect(growth.before == 46)
        #expect(growth.after == 76)
        #expect(growth.perHour == 3600)
        #expect(!growth.isAllowed)
    }

    @Test func `a share of what there was is allowed, or the least`() {
        let values = seconds { 1000 + Double($0) }
        #expect(Growth(of: values, least: 0, share: 0.03).isAllowed)
        #expect(!Growth(of: values, least: 0, share: 0.02).isAllowed)
        #expect(Growth(of: values, least: 30, share: 0.02).isAllowed)
    }

    @Test func `single high values say nothing`() {
        let growth = Growth(of: seconds { $0.isMultiple(of: 7) ? 1e9 : 5 }, least: 0, share: 0)
        #expect(growth.before == 5)
        #expect(growth.isAllowed)
    }
}

@Suite struct BurstTests {
    private let start = ContinuousClock.now

    private func batch(_ events: Int, sent: Int, committed: Int) -> CommitWatch.Batch {
        CommitWatch.Batch(
            events: events, sent: start + .milliseconds(sent), committed: start + .milliseconds(committed))
    }

    @Test func `batches that were sent together are one burst, which ends with the last commit`() {
        let bursts = Burst.found(in: [
            batch(100, sent: 1000, committed: 1300), batch(300, sent: 0, committed: 900), batch(200, sent: 10, committed: 400),
            batch(50, sent: 1250, committed: 1290),
        ])
        #expect(
            bursts == [
                Burst(events: 500, began: start, ended: start + .milliseconds(900)),
                Burst(events: 150, began: start + .seconds(1), ended: start + .milliseconds(1300)),
            ])
        #expect(bursts.first.map { Int($0.eventsPerSecond.rounded()) } == 556)
    }

    @Test func `nothing sent is no burst`() {
        #expect(Burst.found(in: []).isEmpty)
    }
}

@Suite struct ProcessorWatchTests {
    private let start = ContinuousClock.now

    @Test func `only the time that counts is counted`() {
        let samples = [(0, 1.0), (100, 1.01), (200, 1.11), (300, 1.12)].map { milliseconds, used in
            ProcessorWatch.Sample(time: start + .milliseconds(milliseconds), used: used)
        }
        #expect(ProcessorWatch.percent(of: samples) { from, _ in from == samples[1].time } == 100)
        #expect(ProcessorWatch.percent(of: samples) { from, _ in from != samples[1].time } == 10)
        #expect(ProcessorWatch.percent(of: samples) { _, _ in false } == nil)
    }
}
