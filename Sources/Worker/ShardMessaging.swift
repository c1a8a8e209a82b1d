import Engine
import Logging
import Model
import Ports

// Messages to other shards leave when the commit that holds them is acknowledged, through the other shard's input.

extension ShardOwner {
    /// Offers what may leave. After every acknowledgement, and when serving begins.
    func sendMessages() {
        guard end == nil, let shard, let chain, !sending.isIdle else { return }
        for (destination, through) in sending.ready(acknowledged: chain.acknowledged) {
            guard let batch = shard.messages(to: destination, through: through) else {
                sending.finished(destination)
                continue
            }
            sending.offered(destination)
            let last = batch.last
            around.logs.append(to: .input(destination), batch.message.encoded(), expecting: nil, id: nil) { result in
                Task { await self.messagesAnswered(destination, through: last, result) }
            }
        }
    }

    private func messagesAnswered(_ destination: ShardID, through last: UInt64, _ result: Result<UInt64, LogError>) async {
        guard end == nil else { return }
        switch result {
        case .success:
            sending.taken(destination, through: last)
            pump()
        case .failure(let error):
            // Written or not: it is offered again, and the destination passes over what it knows.
            let pause = sending.failed(destination)
            log.warning(
                "messages not acknowledged", metadata: ["to": "\(destination)", "error": "\(error)", "pause": "\(pause) ms"])
            do {
                try await around.clock.sleep(until: around.clock.now() + pause)
            } catch {
                return
            }
            sending.retry(destination)
            sendMessages()
        }
    }
}
