internal import Model
internal import NATS
internal import Ports

/// The streams that an installation consists of.
struct InstallationPlan {
    let names: StreamNames
    let settings: Installation
    let bounds: StreamBounds

    var settingsStream: StreamConfiguration {
        stream(names.settingsStream, [names.settingsSubject], bytesMax: 1 << 20, messageBytesMax: 64 << 10)
    }

    /// All but the one of the settings.
    var streams: [StreamConfiguration] {
        var streams = [
            log(.coordinator, bounds.coordinatorBytes),
            log(.configuration, bounds.configurationBytes),
            log(.deadLetters, bounds.deadLetterBytes),
            log(.delivery, 1 << 20),
            stream(
                names.snapshotStream, [names.snapshotSubjects], bytesMax: bounds.snapshotBytes,
                messageBytesMax: Limits.messageBytesMax, allowDirect: true),
        ]
        for shard in settings.shards.all {
            streams.append(log(.input(shard), bounds.inputBytes))
            streams.append(log(.commits(shard), bounds.commitBytes))
        }
        return streams
    }

    private func log(_ log: LogName, _ bytesMax: UInt64?) -> StreamConfiguration {
        stream(names.stream(log), [names.subject(log)], bytesMax: bytesMax, messageBytesMax: Limits.messageBytesMax)
    }

    private func stream(
        _ name: String, _ subjects: [String], bytesMax: UInt64?, messageBytesMax: Int, allowDirect: Bool = false
    ) -> StreamConfiguration {
        StreamConfiguration(
            name: name, subjects: subjects, bytesMax: bytesMax.map { Int64(clamping: $0) }, messageBytesMax: messageBytesMax,
            replicas: settings.replicas, allowDirect: allowDirect)
    }
}

extension JetStream {
    func createOrUpdate(_ configuration: StreamConfiguration) async throws(NATSError) {
        do throws(NATSError) {
            try await createStream(configuration)
        } catch {
            guard error.apiCode == APICode.streamNameInUse else { throw error }
            try await updateStream(configuration)
        }
    }

    /// So many at a time: a cluster elects a leader for each replicated one.
    func createOrUpdate(_ configurations: [StreamConfiguration], atOnce: Int) async throws(NATSError) {
        let failure: NATSError? = await withTaskGroup(of: NATSError?.self) { group in
            var rest = configurations[...]
            var failure: NATSError?
            func start(_ configuration: StreamConfiguration) {
                group.addTask {
                    do throws(NATSError) {
                        try await createOrUpdate(configuration)
                        return nil
                    } catch {
                        return NATSError(error.code, "stream \(configuration.name): \(error.message)")
                    }
                }
            }
            for _ in 0..<atOnce { if let next = rest.popFirst() { start(next) } }
            while let result = await group.next() {
                failure = failure ?? result
                if failure == nil, let next = rest.popFirst() { start(next) }
            }
            return failure
        }
        if let failure { throw failure }
    }
}
