package import Model

/// What a gateway is told when it starts.
package struct GatewayOptions: Sendable {
    package var host: String
    /// 0 = any free one; ``GatewayRole`` tells which.
    package var port: Int
    /// Keys with which events may be sent; several, so that each sender can have its own.
    package var writeKeys: [String]
    /// Opens `/api` and the page.
    package var adminKey: String
    package var installation: Installation
    /// ISO 4217 and the digits of its minor unit, until the configuration log says otherwise.
    package var currency: String
    package var currencyDigits: Int
    package var batching: BatchAssembler.Settings
    /// Bytes of request bodies that are read or wait for the log, all together; beyond, requests are answered 429.
    package var bytesInFlightMax: Int
    /// How fast one customer may send; in event-time mode, in which history is loaded, it is not looked at.
    package var pace: CustomerPace.Settings
    /// How long a request's body may take.
    package var bodyMilliseconds: Int64

    package init(
        host: String = "127.0.0.1", port: Int, writeKeys: [String], adminKey: String, installation: Installation,
        currency: String = "USD", currencyDigits: Int = 2, batching: BatchAssembler.Settings = .init(),
        bytesInFlightMax: Int = Limits.requestBytesInFlightMax, pace: CustomerPace.Settings = .init(),
        bodyMilliseconds: Int64 = Limits.bodyMilliseconds
    ) {
        self.host = host
        self.port = port
        self.writeKeys = writeKeys
        self.adminKey = adminKey
        self.installation = installation
        self.currency = currency
        self.currencyDigits = currencyDigits
        self.batching = batching
        self.bytesInFlightMax = bytesInFlightMax
        self.pace = pace
        self.bodyMilliseconds = bodyMilliseconds
    }
}
