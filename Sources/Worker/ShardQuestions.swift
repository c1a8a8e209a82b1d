import Engine
import Foundation
import Logging
import Model
import Ports

// What a shard's owner answers: reading only.

extension ShardOwner {
    func register() async throws -> [any Registration] {
        let name = "shard.\(id.number)"
        return [
            try await around.messaging.serve("\(name).customer") { payload in await self.answerCustomer(payload) },
            try await around.messaging.serve("\(name).open") { payload in await self.answerOpen(payload) },
            try await around.messaging.serve("\(name).members") { payload in await self.answerMembers(payload) },
            try await around.messaging.serve("\(name).duplicates") { _ in await self.answerDuplicates() },
            try await around.messaging.serve("\(name).await") { payload in await self.answerAwait(payload) },
            try await around.messaging.serve("\(name).following") { payload in await self.answerFollowing(payload) },
        ]
    }

    private func answerCustomer(_ payload: [UInt8]) -> [UInt8] {
        let text = String(validating: payload, as: UTF8.self)
        guard let shard, let text, !text.isEmpty else {
            return encoded(CustomerView(customer: "", shard: Int(id.number), found: false, currency: ""))
        }
        return encoded(shard.view(of: CustomerKey(text)))
    }

    /// A page of the open actions as of a commit that is in the log; empty when the shard is not served any more.
    private func answerOpen(_ payload: [UInt8]) async -> [UInt8] {
        let request = payload.isEmpty ? nil : try? JSONDecoder().decode(OpenActionsRequest.self, from: Data(payload))
        guard payload.isEmpty || request != nil, waiters.count < Limits.questionsWaitingMax else { return [] }
        await wait { $0.end != nil || ($0.chain?.waiting.isEmpty ?? true) && !$0.isSettling }
        guard end == nil, let shard, let chain else { return [] }
        let page = shard.openActions(after: request?.after)
        return encoded(OpenActions(commit: chain.acknowledged, actions: page.actions, next: page.next))
    }

    /// A page of a segment's members as of a commit that is in the log; empty when the shard is not served any more.
    private func answerMembers(_ payload: [UInt8]) async -> [UInt8] {
        guard let request = try? JSONDecoder().decode(SegmentMembersRequest.self, from: Data(payload)), request.limit >= 1,
            waiters.count < Limits.questionsWaitingMax
        else { return [] }
        await wait { $0.end != nil || ($0.chain?.waiting.isEmpty ?? true) && !$0.isSettling }
        guard end == nil, let shard else { return [] }
        return encoded(shard.members(request))
    }

    private func answerDuplicates() -> [UInt8] {
        encoded(shard?.possibleDuplicates() ?? PossibleDuplicates(groups: [], isCut: false))
    }

    private func answerAwait(_ payload: [UInt8]) async -> [UInt8] {
        guard let request = try? JSONDecoder().decode(AwaitRequest.self, from: Data(payload)) else { return [] }
        guard waiters.count < Limits.questionsWaitingMax else { return encoded(status) }
        let deadline = around.clock.now() + request.timeoutMilliseconds
        let clock = around.clock
        let timeout = Task {
            try await clock.sleep(until: deadline)
            self.check()
        }
        await wait { owner in
            owner.end != nil || owner.isReleasing || owner.around.clock.now() >= deadline || owner.isThrough(request)
        }
        timeout.cancel()
        return encoded(status)
    }

    /// Whoever is to own the shard next tells how far it has followed.
    private func answerFollowing(_ payload: [UInt8]) -> [UInt8] {
        guard let progress = try? JSONDecoder().decode(FollowerProgress.self, from: Data(payload)) else { return [] }
        hear(progress)
        return []
    }

    private func isThrough(_ request: AwaitRequest) -> Bool {
        guard let shard, let chain, chain.waiting.isEmpty, shard.completedInput >= request.inputSequence else { return false }
        guard shard.hasNoMessages else { return false }
        return !request.withoutOpenActions || shard.openActions == 0
    }

    func encoded(_ value: some Encodable) -> [UInt8] {
        do {
            return Array(try JSONEncoder().encode(value))
        } catch {
            log.error("answer not encodable", metadata: ["error": "\(error)"])
            return []
        }
    }
}
