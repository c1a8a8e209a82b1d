/// What a campaign must have met to say anything: counted by name in each run.
package enum RareBranches {
    package static let all = [
        "fault: append lost", "fault: append lostAnswer", "fault: append lateAnswer", "fault: append lateArrival",
        "fault: append twice", "fault: leader gap", "fault: full stream", "answer: refused", "answer: full",
        "fault: crash of worker", "fault: crash of coordinator", "fault: crash of dispatcher", "fault: freeze of worker",
        "fault: freeze of coordinator", "fault: freeze of dispatcher", "fault: stop of worker", "fault: cut off of worker",
        "fault: slow reader of worker", "fault: clock a year ahead of worker", "fault: clock jump of worker", "rules applied",
        "log: commit not acknowledged", "log: shard lost", "log: shard let go", "log: shard failed", "log: snapshot written",
        "log: snapshot not written", "log: snapshot passed over", "log: log not reachable", "log: log not readable",
        "snapshot: whole, shard", "snapshot: increment, shard", "snapshot: increments loaded", "snapshot: whole, sums",
        "trimmed: IN", "trimmed: LOG", "trimmed: CONFIG", "answer: trimmed", "log: snapshot of the release point",
        "log: the sums go on from a snapshot", "log: the coordinator begins anew", "log: this coordinator leads no more",
        "commit: fence", "commit: released",
        "effect: postponed", "effect: permit granted", "effect: closed, sent", "effect: closed, uncertain",
        "effect: closed, undeliverable", "effect: closed, withdrawn", "effect: attributed, converted",
        "effect: attributed, changed", "effect: attributed, reversed", "effect: permit denied, grantedToAnother",
        "effect: message sent", "effect: messages delivered", "effect: message applied", "effect: merged",
        "effect: duplicate offered", "effect: action moved", "messages: brought again",
        "fault: drain of worker", "operator: drained a worker", "operator: a drained worker may own shards again",
        "fault: join of worker", "fault: leave of worker", "log: worker draining", "takeover: planned",
        "takeover: behind an owner that is gone", "takeover: by a standby",
        "fault: event that ends its worker", "fault: last word", "commit: attempt", "takeover: behind a last word",
        "takeover: careful, message", "takeover: careful, event", "takeover: sets aside what comes first",
        "effect: set aside", "effect: replayed", "operator: took a dead letter again", "records of what was set aside",
        "fault: lost suffix", "lost suffix: said", "lost suffix: the sums stop",
        "interpreter: compared", "live state: compared", "orders of the whole: compared",
    ]
}
