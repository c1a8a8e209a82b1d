internal import CNATS
internal import Glibc

/// Threads for what may block: Swift's cooperative pool never waits for a socket.
enum OwnThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a detached thread that runs `body` once.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let closure = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { closure in
                guard let closure = unsafe closure else { return nil }
                unsafe Unmanaged<Body>.fromOpaque(closure).takeRetainedValue().run()
                nats_ReleaseThreadMemory()
                return nil
            }, closure)
        precondition(status == 0, "the system refuses a thread for \(name): error \(status)")
        pthread_detach(thread)
    }
}
