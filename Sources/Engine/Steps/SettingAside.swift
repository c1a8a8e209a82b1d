import Model

// What cannot be applied is kept in the commit, whole and with its reason; its neighbours go on (I7).

extension Shard {
    /// Of what this ends workers; `workers` that it ended are known.
    static func trapped(_ workers: UInt32) -> String {
        "trapped: applying it ended \(workers) " + (workers == 1 ? "worker" : "workers")
    }

    /// Sets the event aside that was read last.
    func setAside(_ record: LogRecord, _ reader: EventBatchReader, _ reason: String) {
        setAside(record, reason, reader.alone(in: record.payload))
    }

    /// Sets aside what stands at the shard's position: `message` is a message of IN that holds just that.
    func setAside(_ record: LogRecord, _ reason: String, _ message: [UInt8]) {
        add(
            SetAside(
                number: setAsideNumbers.next(), inputSequence: record.sequence, index: eventsThrough, arrived: record.time,
                reason: reason, replayOf: replaying, message: message))
    }

    /// Gives up what the activated customer has due at `due`. There is nothing to replay: the rule's next occasion comes.
    func setAsideWakeUp(_ due: Instant, at now: Instant, _ workers: UInt32, _ customer: isolated CustomerActor) {
        // When even that ended a worker before, it is left out.
        let what = customer.giveUp(due: due, at: now, saying: workers == 1, &brain)
        add(
            SetAside(
                number: setAsideNumbers.next(), inputSequence: inputSequence, index: eventsThrough, arrived: clock,
                reason: "\(Self.trapped(workers)): \(what) of \(customer.key)"))
    }

    /// How many workers this ended, when it is to be set aside for that; asked once when it comes up.
    func workersEnded(at place: @autoclosure () -> Place) -> UInt32? {
        if caution.isCalm && trusted == nil { return nil }
        let place = place()
        return caution.takeAttempts(at: place) ?? trusted?.workersEnded(at: place)
    }

    private func add(_ event: SetAside) {
        trusted?.note(event)
        brain.effects.add(.setAside(event))
        brain.effects.add(.setAside, 1)
    }
}
