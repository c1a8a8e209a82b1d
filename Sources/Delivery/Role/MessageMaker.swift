internal import Curl
internal import Model
internal import Ports
internal import Templates

/// Makes the message of a permit: the template of the revision under which the permit was given, filled with the
/// permit's fields. Keeps the newest revisions and their templates.
actor MessageMaker {
    private struct Parsed {
        var subject: Template
        var text: Template
        var html: Template?
        var from: MailAddress
    }

    private struct Revision {
        var rules: RuleSet
        var parsed: [String: Parsed] = [:]
    }

    private let logs: any LogStore
    private let clock: any WallClock
    private let idDomain: String
    private var revisions: [UInt64: Revision] = [:]

    private static let revisionsKept = 8

    init(logs: any LogStore, clock: any WallClock, idDomain: String) {
        self.logs = logs
        self.clock = clock
        self.idDomain = idDomain
    }

    /// The message, or what becomes of the attempt without one.
    func message(for granted: GrantedAction) async -> Result<SMTPMessage, NotMade> {
        let grant = granted.grant
        do throws(NotMade) {
            let parsed = try await template(grant.template, revision: granted.configuration)
            guard let to = MailAddress(grant.address) else {
                throw NotMade(.undeliverable("not an e-mail address: \(grant.address)"))
            }
            let mail = try Self.render(parsed, grant, to: to, date: clock.now(), idDomain: idDomain)
            let content = mail.encoded()
            guard content.count <= Limits.renderedMessageBytesMax else {
                throw NotMade(
                    .undeliverable("the message has \(content.count) bytes, allowed are \(Limits.renderedMessageBytesMax)"))
            }
            return .success(SMTPMessage(from: mail.from.address, to: to.address, content: content))
        } catch {
            return .failure(error)
        }
    }

    private static func render(
        _ parsed: Parsed, _ grant: PermitGrant, to: MailAddress, date: Instant, idDomain: String
    ) throws(NotMade) -> MailMessage {
        let context = TemplateValue.fields(grant.fields)
        var part = "subject"
        do throws(TemplateError) {
            let subject = try parsed.subject.renderLine(context)
            part = "text"
            let text = try parsed.text.render(context, escape: .none)
            part = "html"
            let html = try parsed.html?.render(context, escape: .html) ?? ""
            return MailMessage(
                from: parsed.from, to: to, subject: subject, text: text, html: html, date: date, action: grant.action,
                idDomain: idDomain)
        } catch {
            throw NotMade(.undeliverable("template \(grant.template), \(part): \(error)"))
        }
    }

    private func template(_ name: String, revision: UInt64) async throws(NotMade) -> Parsed {
        try await load(revision)
        guard let known = revisions[revision] else {
            throw NotMade(.failed("configuration \(revision) was dropped", provider: false))
        }
        if let parsed = known.parsed[name] { return parsed }
        guard let source = known.rules.templates.first(where: { $0.name == name }) else {
            throw NotMade(.undeliverable("configuration \(revision) has no template \(name)"))
        }
        let parsed = try Self.parse(source)
        revisions[revision]?.parsed[name] = parsed
        return parsed
    }

    private static func parse(_ source: MessageTemplate) throws(NotMade) -> Parsed {
        guard let from = MailAddress(source.from) else {
            throw NotMade(.undeliverable("template \(source.name), from: not an e-mail address: \(source.from)"))
        }
        do throws(TemplateError) {
            return Parsed(
                subject: try Template.parse(source.subject), text: try Template.parse(source.text),
                html: source.html.isEmpty ? nil : try Template.parse(source.html), from: from)
        } catch {
            throw NotMade(.undeliverable("template \(source.name): \(error)"))
        }
    }

    private func load(_ revision: UInt64) async throws(NotMade) {
        guard revisions[revision] == nil else { return }
        let record: LogRecord?
        do throws(LogError) {
            record = try await logs.record(revision, of: .configuration)
        } catch {
            throw NotMade(.failed("configuration \(revision) cannot be read: \(error)", provider: true))
        }
        // A copy that lags behind may not have it yet; so this is not for good.
        guard let record else { throw NotMade(.failed("configuration \(revision) is not there", provider: false)) }
        do throws(FormatError) {
            revisions[revision] = Revision(rules: try RuleSet.decoded(record.payload, revision: revision))
        } catch {
            throw NotMade(.undeliverable("configuration \(revision) cannot be read: \(error)"))
        }
        while revisions.count > Self.revisionsKept, let oldest = revisions.keys.filter({ $0 != revision }).min() {
            revisions[oldest] = nil
        }
    }
}

/// Why there is no message to send.
struct NotMade: Error, Equatable {
    let result: DeliveryResult

    init(_ result: DeliveryResult) { self.result = result }
}
