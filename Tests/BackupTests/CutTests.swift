import Model
import Testing

@testable import Backup

/// What a cut may hold, case by case. Two shards; the first rounds of ends are zero unless said.
@Suite("F8 I11 the cut of a backup")
struct CutTests {
    private func find(
        _ inputs: [[InputEntry]], _ commits: [[CommitEntry]], secondInputs: [UInt64]? = nil, secondCommits: [UInt64] = [0, 0]
    ) -> Cut? {
        let inputEnds = inputs.map { $0.last?.sequence ?? 0 }
        let commitEnds = commits.map { $0.last?.number ?? 0 }
        let ends = LogEnds(
            commits: [[0, 0], secondCommits, commitEnds], inputs: [[0, 0], secondInputs ?? inputEnds, inputEnds])
        return CutFinder(ends: ends, inputs: inputs, commits: commits).find()
    }

    private let a = ShardID(0)
    private let b = ShardID(1)

    @Test func `with nothing under way everything noted is in it`() {
        let cut = find([[InputEntry(sequence: 1)], []], [[CommitEntry(number: 1, read: 1)], []])
        #expect(cut == Cut(inputs: [1, 0], commits: [1, 0]))
    }

    @Test func `a commit that read a later input record is left out`() {
        let inputs = [[InputEntry(sequence: 1), InputEntry(sequence: 2)], []]
        let commits = [[CommitEntry(number: 1, read: 1), CommitEntry(number: 2, read: 2)], []]
        #expect(find(inputs, commits, secondInputs: [1, 0]) == Cut(inputs: [1, 0], commits: [1, 0]))
    }

    @Test func `a message that rests on a commit left out is left out, and what read it`() {
        let sent = Cause.message(from: a, to: b, counter: 7)
        let inputs = [
            [InputEntry(sequence: 1)],
            [InputEntry(sequence: 1), InputEntry(sequence: 2, rests: [sent], messages: .init(from: a, first: 7))],
        ]
        let commits = [
            [CommitEntry(number: 1, read: 1, makes: [sent])],
            [CommitEntry(number: 1, read: 1), CommitEntry(number: 2, read: 2)],
        ]
        #expect(find(inputs, commits, secondInputs: [0, 2]) == Cut(inputs: [0, 1], commits: [0, 1]))
    }

    @Test func `who says that a message is delivered is left out with the message`() {
        let inputs = [[], [InputEntry(sequence: 1, messages: .init(from: a, first: 3))]]
        let commits = [
            [
                CommitEntry(number: 1, read: 0, delivered: [.init(to: b, through: 2)]),
                CommitEntry(number: 2, read: 0, delivered: [.init(to: b, through: 3)]),
            ], [],
        ]
        #expect(find(inputs, commits, secondInputs: [0, 0]) == Cut(inputs: [0, 0], commits: [1, 0]))
        #expect(find(inputs, commits) == Cut(inputs: [0, 1], commits: [2, 0]))
    }

    @Test func `an outcome stays with its permit, a request with its action, a replay with what was set aside`() {
        let attempt = AttemptID(instance: 5, number: 1)
        let causes: [Cause] = [.granted(ActionID(1), attempt), .opened(ActionID(1), in: b), .setAside(b, 4)]
        for cause in causes {
            let inputs = [[InputEntry(sequence: 1)], [InputEntry(sequence: 1), InputEntry(sequence: 2, rests: [cause])]]
            let commits = [[], [CommitEntry(number: 1, read: 1, makes: []), CommitEntry(number: 2, read: 9, makes: [cause])]]
            #expect(find(inputs, commits) == Cut(inputs: [1, 1], commits: [0, 1]), "\(cause)")
        }
    }

    @Test func `a clock record is in it only with all that was there`() {
        let clock = InputEntry(sequence: 2, restsOnAll: true)
        let inputs = [[InputEntry(sequence: 1)], [InputEntry(sequence: 1), clock]]
        let commits = [[CommitEntry(number: 1, read: 1)], [CommitEntry(number: 1, read: 1)]]
        #expect(find(inputs, commits) == Cut(inputs: [1, 2], commits: [1, 1]))
        #expect(find(inputs, commits, secondInputs: [0, 2]) == nil)
        let later = [[InputEntry(sequence: 1), InputEntry(sequence: 2)], inputs[1]]
        #expect(find(later, commits, secondInputs: [1, 2]) == nil)
        #expect(find(inputs, commits, secondInputs: [0, 1]) == Cut(inputs: [0, 1], commits: [0, 1]))
    }

    @Test func `what cannot be vouched for is refused`() {
        let inputs = [[InputEntry(sequence: 1)], []]
        let commits = [[CommitEntry(number: 1, read: 1)], []]
        #expect(find(inputs, commits, secondInputs: [0, 0], secondCommits: [1, 0]) == nil)
    }

    /// A made-up world of shards that read inputs, commit and tell each other; its ends are noted while it goes on.
    @Test(arguments: 0..<300 as Range<UInt64>)
    func `a cut of a world that goes on is closed under its causes`(seed: UInt64) throws {
        var world = TellingWorld(seed: seed)
        world.run(steps: 60)
        let (noted, cut) = try #require(look(&world), "as often as a backup looks")
        let (kept, gone) = world.split(cut)
        for entry in kept.inputs { #expect(entry.rests.isDisjoint(with: gone.made), "an effect without its cause") }
        for (shard, commit) in kept.commits {
            #expect(commit.read <= cut.inputs[shard], "a commit of what is not there")
            for word in commit.delivered {
                let lost = gone.messages.contains { to, entry in
                    to == Int(word.to.number) && Int(entry.from.number) == shard && entry.first <= word.through
                }
                #expect(!lost, "a message that nobody has any more")
            }
        }
        for shard in cut.inputs.indices {
            #expect(cut.inputs[shard] >= noted.inputs[0][shard], "what was acknowledged before is missing")
        }
        for told in world.told where told.sequence <= cut.inputs[told.shard] {
            for shard in cut.inputs.indices {
                #expect(cut.inputs[shard] >= told.inputs[shard], "a clock record without what was acknowledged before it")
                #expect(cut.commits[shard] >= told.commits[shard], "a clock record without a commit before it")
            }
        }
    }

    /// Notes the ends until there is a cut, as ``CutTaker`` does.
    private func look(_ world: inout TellingWorld) -> (LogEnds, Cut)? {
        for _ in 0..<200 {
            let noted = world.noteEnds()
            let finder = CutFinder(ends: noted, inputs: world.inputTails(noted), commits: world.commitTails(noted))
            if let cut = finder.find() { return (noted, cut) }
        }
        return nil
    }

    @Test func `an instant that is told while the ends are noted may be in one shard's part of the cut and not in another's`() {
        var halfTold = 0
        for seed: UInt64 in 0..<300 {
            var world = TellingWorld(seed: seed)
            world.run(steps: 60)
            guard let (_, cut) = look(&world) else { continue }
            let told = world.told.filter { $0.sequence <= cut.inputs[$0.shard] }
            if Set(cut.inputs.indices.map { shard in told.count { $0.shard == shard } }).count > 1 { halfTold += 1 }
        }
        #expect(halfTold > 10)
    }
}
