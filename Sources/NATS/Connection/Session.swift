internal import CNATS
internal import Glibc

/// What a subscription calls; kept alive by the library's subscription, which releases it when its last callback is over.
final class SubscriptionTarget: Sendable {
    let handle: @Sendable (borrowing RawMessage) -> Void
    init(_ handle: @escaping @Sendable (borrowing RawMessage) -> Void) { self.handle = handle }
}

/// One connection of the library, from connecting to its loss; a new one replaces it. Used by the connection's own
/// thread only: its calls may block.
///
/// The library's own reconnecting is not used: after a write that timed out half-way it would go on in the middle of a
/// frame. Subscriptions are destroyed only together with the connection: version 3.4.1 touches a subscription that was
/// destroyed while a message for it was read.
@safe
final class Session {
    let number: UInt64
    /// Of the server, as the library reports it.
    let url: String
    private let connection: OpaquePointer
    private var subscriptions: [UInt64: OpaquePointer] = unsafe [:]
    private var unsubscribed: [OpaquePointer] = unsafe []

    private final class ClosedTarget: Sendable {
        let call: @Sendable () -> Void
        init(_ call: @escaping @Sendable () -> Void) { self.call = call }
    }

    /// Connects; blocks up to the options' time-out. `closed` is called once, on a thread of the library.
    init(number: UInt64, options: NATSConnection.Options, closed: @escaping @Sendable () -> Void) throws(NATSError) {
        self.number = number
        var handle: OpaquePointer?
        try Self.check(unsafe natsOptions_Create(&handle), "options")
        guard let settings = unsafe handle else { throw NATSError(.invalid, "the library gave no options") }
        defer { unsafe natsOptions_Destroy(settings) }
        try unsafe Self.apply(options, to: settings)
        let target = unsafe Unmanaged.passRetained(ClosedTarget(closed)).toOpaque()
        unsafe natsOptions_SetClosedCB(settings, { _, closure in
            guard let closure = unsafe closure else { return }
            unsafe Unmanaged<ClosedTarget>.fromOpaque(closure).takeRetainedValue().call()
        }, target)
        var connected: OpaquePointer?
        let status = unsafe natsConnection_Connect(&connected, settings)
        guard status == NATS_OK, let connected = unsafe connected else {
            unsafe Unmanaged<ClosedTarget>.fromOpaque(target).release()
            throw NATSError(.notConnected, "\(options.urls.joined(separator: ", ")): \(Self.text(status))")
        }
        unsafe connection = connected
        var buffer = [CChar](repeating: 0, count: 512)
        _ = unsafe natsConnection_GetConnectedUrl(connected, &buffer, buffer.count)
        url = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func apply(_ options: NATSConnection.Options, to settings: OpaquePointer) throws(NATSError) {
        var servers: [UnsafeMutablePointer<CChar>?] = unsafe options.urls.map { unsafe strdup($0) }
        defer { for unsafe server in unsafe servers { unsafe free(server) } }
        let status = unsafe servers.withUnsafeMutableBufferPointer { pointers in
            unsafe pointers.withMemoryRebound(to: UnsafePointer<CChar>?.self) { pointers in
                unsafe natsOptions_SetServers(settings, pointers.baseAddress, Int32(pointers.count))
            }
        }
        try check(status, "server addresses \(options.urls.joined(separator: ", "))")
        try check(unsafe natsOptions_SetName(settings, options.name), "name \(options.name)")
        try check(unsafe natsOptions_SetAllowReconnect(settings, false), "reconnecting")
        try check(unsafe natsOptions_SetTimeout(settings, options.connectTimeout.wholeMilliseconds), "connect time-out")
        try check(unsafe natsOptions_SetPingInterval(settings, options.pingInterval.wholeMilliseconds), "ping interval")
        try check(unsafe natsOptions_SetMaxPingsOut(settings, Int32(options.pingsUnansweredMax)), "pings")
        try check(unsafe natsOptions_SetWriteDeadline(settings, options.writeTimeout.wholeMilliseconds), "write time-out")
        try check(unsafe natsOptions_SetIOBufSize(settings, 256 << 10), "buffer")
        // Each message leaves at once: the library's own gathering costs a millisecond, and ours gathers into batches.
        try check(unsafe natsOptions_SetSendAsap(settings, true), "sending")
        if let file = options.credentialsFile {
            try check(unsafe natsOptions_SetUserCredentialsFromFiles(settings, file, nil), "credentials in \(file)")
        }
        if let file = options.certificateAuthorityFile {
            try check(unsafe natsOptions_SetSecure(settings, true), "TLS")
            try check(unsafe natsOptions_LoadCATrustedCertificates(settings, file), "certificates in \(file)")
        }
    }

    // MARK: Sending

    /// Sends a message. An error other than `tooLarge` and `invalid` means that the connection is of no use any more.
    func publish(_ message: Outgoing, reply: String?) -> NATSError? {
        let status: natsStatus = unsafe message.payload.withUnsafeBytes { payload in
            let data = unsafe payload.bindMemory(to: CChar.self).baseAddress
            let count = Int32(payload.count)
            if message.headers.isEmpty {
                guard let reply else { return unsafe natsConnection_Publish(connection, message.subject, data, count) }
                return unsafe natsConnection_PublishRequest(connection, message.subject, reply, data, count)
            }
            var created: OpaquePointer?
            var status = unsafe natsMsg_Create(&created, message.subject, reply, data, count)
            guard status == NATS_OK, let created = unsafe created else { return status }
            defer { unsafe natsMsg_Destroy(created) }
            for header in message.headers where status == NATS_OK {
                status = unsafe natsMsgHeader_Set(created, header.name, header.value)
            }
            return status == NATS_OK ? unsafe natsConnection_PublishMsg(connection, created) : status
        }
        switch status {
        case NATS_OK: return nil
        case NATS_MAX_PAYLOAD:
            return NATSError(.tooLarge, "\(message.subject): \(message.payload.count) bytes are more than the server takes")
        case NATS_INVALID_ARG, NATS_INVALID_SUBJECT, NATS_NO_SERVER_SUPPORT:
            return NATSError(.invalid, "\(message.subject): \(Self.text(status))")
        case NATS_CONNECTION_CLOSED: return NATSError(.notConnected, "\(message.subject): \(Self.text(status))")
        default: return NATSError(.disconnected, "\(message.subject): \(Self.text(status))")
        }
    }

    // MARK: Subscriptions

    /// Subscribes under a number of the caller's; nothing happens when it is subscribed already.
    func subscribe(_ id: UInt64, to subject: String, _ target: SubscriptionTarget) throws(NATSError) {
        guard unsafe subscriptions[id] == nil else { return }
        let closure = unsafe Unmanaged.passRetained(target).toOpaque()
        var created: OpaquePointer?
        let status = unsafe natsConnection_Subscribe(&created, connection, subject, { _, _, message, closure in
            guard let message = unsafe message, let closure = unsafe closure else { return }
            unsafe Unmanaged<SubscriptionTarget>.fromOpaque(closure).takeUnretainedValue().handle(RawMessage(message))
            unsafe natsMsg_Destroy(message)
        }, closure)
        guard status == NATS_OK, let created = unsafe created else {
            unsafe Unmanaged<SubscriptionTarget>.fromOpaque(closure).release()
            throw NATSError(status == NATS_CONNECTION_CLOSED ? .notConnected : .invalid, "\(subject): \(Self.text(status))")
        }
        unsafe natsSubscription_SetOnCompleteCB(created, { closure in
            guard let closure = unsafe closure else { return }
            unsafe Unmanaged<SubscriptionTarget>.fromOpaque(closure).release()
        }, closure)
        // What may be under way is bounded by those who ask for it, not by dropping.
        unsafe natsSubscription_SetPendingLimits(created, -1, -1)
        unsafe subscriptions[id] = created
    }

    func unsubscribe(_ id: UInt64) {
        guard let subscription = unsafe subscriptions.removeValue(forKey: id) else { return }
        unsafe natsSubscription_Unsubscribe(subscription)
        unsafe unsubscribed.append(subscription)
    }

    /// Ends the connection and frees everything. Callbacks that run at the moment finish on their own.
    func close() {
        unsafe natsConnection_Close(connection)
        for unsafe subscription in unsafe Array(subscriptions.values) + unsubscribed {
            unsafe natsSubscription_Destroy(subscription)
        }
        unsafe subscriptions = [:]
        unsafe unsubscribed = []
        unsafe natsConnection_Destroy(connection)
    }

    private static func check(_ status: natsStatus, _ what: String) throws(NATSError) {
        guard status == NATS_OK else { throw NATSError(.invalid, "\(what): \(text(status))") }
    }

    private static func text(_ status: natsStatus) -> String {
        guard let text = unsafe natsStatus_GetText(status) else { return "status \(status.rawValue)" }
        return unsafe String(cString: text)
    }
}
