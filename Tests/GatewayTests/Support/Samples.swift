import Gateway
import Model
import Testing

/// 2026-11-22T12:00:00Z
let noon = Instant(milliseconds: 1_795_348_800_000)
let live = EventMapping(settings: EventMapping.Settings(timeMode: .live))
let eventTime = EventMapping(settings: EventMapping.Settings(timeMode: .eventTime))

/// Maps one call written as JSON.
func mapped(
    _ json: String, _ call: EventMapping.Call? = .track, by mapping: EventMapping = live, sentAt: Instant? = nil,
    context: String? = nil
) throws -> Event {
    let value = try JSONDocument(Array(json.utf8)).root
    let context = try context.map { try JSONDocument(Array($0.utf8)).root }
    return try mapping.event(
        value, call: call, envelope: EventMapping.Envelope(context: context, sentAt: sentAt, receivedAt: noon))
}

/// The error that a call gets.
func refused(
    _ json: String, _ call: EventMapping.Call? = .track, by mapping: EventMapping = live, sentAt: Instant? = nil
) throws -> FieldError? {
    do {
        _ = try mapped(json, call, by: mapping, sentAt: sentAt)
        return nil
    } catch let error as FieldError {
        return error
    }
}

/// A track call of user 7 with these properties.
func track(_ event: String, _ properties: String = "{}") -> String {
    "{\"userId\":\"7\",\"event\":\(JSONText.quoted(event)),\"properties\":\(properties)}"
}
