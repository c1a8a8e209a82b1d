internal import NATS
internal import Ports

extension LogError {
    /// What a failed append means to its caller. Unknown is always `ambiguous`: only reading back tells.
    init(appending error: NATSError) {
        let code: Code =
            switch error.code {
            case .notConnected, .queueFull, .closed, .noResponders: .unavailable
            case .tooLarge: .tooLarge
            case .timeout, .disconnected, .invalid: .ambiguous
            case .api(_, let code): Self.appendCode(api: code, error.message)
            }
        self.init(code, error.message)
    }

    private static func appendCode(api code: Int, _ text: String) -> Code {
        switch code {
        case APICode.wrongLastSequence, APICode.wrongLastSequenceUnderWay: .refused
        case APICode.messageTooLarge: .tooLarge
        case APICode.storeFailed where text.contains("maximum"): .full
        case APICode.insufficientResources, APICode.memoryExceeded, APICode.storageExceeded: .full
        case APICode.clusterNotAvailable, APICode.clusterNotLeader, APICode.notEnabled, APICode.notEnabledForAccount,
            APICode.tooManyRequests:
            .unavailable
        default: .ambiguous
        }
    }

    /// What a failed reading, or a change that may be repeated, means: try later.
    init(reading error: NATSError) {
        self.init(.unavailable, error.message)
    }
}
