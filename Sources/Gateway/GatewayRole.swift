internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import Model
internal import NIOCore
package import Ports
internal import ServiceLifecycle

/// Takes events over HTTP into the input logs, and shows what the cluster says of itself.
package enum GatewayRole {
    /// Runs until its task is cancelled; then takes no more events, waits until those it took have their answers, and
    /// returns. Throws when the address cannot be bound.
    ///
    /// - Parameter onBound: told the port once connections are taken.
    package static func run(
        options: GatewayOptions, logs: any LogStore, messaging: any Messaging, clock: any WallClock, log: Logger,
        onBound: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws {
        let metrics = GatewayMetrics()
        let watch = LogWatch(logs: logs, clock: clock, installation: options.installation, log: log)
        let intake = Intake(
            logs: logs, clock: clock, shards: options.installation.shards, settings: options.batching, metrics: metrics)
        let service = GatewayService(
            options: options, watch: watch, intake: intake, budget: ByteBudget(limit: options.bytesInFlightMax),
            admission: Admission(
                options.installation.timeMode == .live ? options.pace : CustomerPace.Settings(perMinute: 0)),
            open: OpenRequests(), metrics: metrics, messaging: messaging, clock: clock, log: log,
            keys: WriteKeys(options.writeKeys), admin: AdminAccess(key: options.adminKey))
        let settings = EventMapping.Settings(
            timeMode: options.installation.timeMode, currency: options.currency, currencyDigits: options.currencyDigits)

        // Tasks of their own: when the role is cancelled, the open requests still need them.
        let helpers = Task {
            await withDiscardingTaskGroup { group in
                group.addTask { await intake.run() }
                group.addTask { await watch.watchFill() }
                group.addTask { await watch.followConfiguration(else: settings) }
            }
        }
        let server = server(service, log: log, onBound: onBound)
        let running = Task { try await server.run() }
        let result = await withTaskCancellationHandler {
            await running.result
        } onCancel: {
            service.open.stop()
            Task {
                await service.open.wait()
                // Connections that are only kept alive are closed by this, not by a cancelled task.
                await server.triggerGracefulShutdown()
            }
        }
        helpers.cancel()
        await helpers.value
        try result.get()
    }

    private static func server(
        _ service: GatewayService, log: Logger, onBound: @escaping @Sendable (Int) -> Void
    ) -> ServiceGroup {
        var quiet = log
        quiet.logLevel = max(log.logLevel, .warning)
        let application = Application(
            responder: CallbackResponder<BasicRequestContext> { request, _ in await service.respond(to: request) },
            server: .http1(configuration: .init(idleTimeout: .seconds(75))),
            configuration: ApplicationConfiguration(
                address: .hostname(service.options.host, port: service.options.port), serverName: "reprise",
                availableConnectionsDelegate: MaximumAvailableConnections(Limits.connectionsMax)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? service.options.port
                log.info("gateway listens", metadata: ["host": "\(service.options.host)", "port": "\(port)"])
                onBound(port)
            },
            logger: quiet)
        return ServiceGroup(configuration: .init(services: [application], logger: quiet))
    }
}
