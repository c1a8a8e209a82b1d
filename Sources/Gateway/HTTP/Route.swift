/// What a request asks for.
enum Route: Equatable, Sendable {
    case ingest(RequestReading.Endpoint)
    /// A browser asks whether it may post from another site.
    case preflight
    case health, ready, metrics, page
    case status, mechanics
    case customer(String)
    /// The path exists, but not with this method; these are allowed.
    case wrongMethod(allowed: String)
    case nothing

    init(method: String, path: String) {
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        if path.hasPrefix("/v1/"), let endpoint = RequestReading.Endpoint(name: path.dropFirst(4)) {
            switch method {
            case "POST": self = .ingest(endpoint)
            case "OPTIONS": self = .preflight
            default: self = .wrongMethod(allowed: "POST, OPTIONS")
            }
            return
        }
        let found: Route
        switch path {
        case "/": found = .page
        case "/health": found = .health
        case "/ready": found = .ready
        case "/metrics": found = .metrics
        case "/api/status": found = .status
        case "/api/mechanics": found = .mechanics
        default:
            let prefix = "/api/customers/"
            guard path.hasPrefix(prefix), path.utf8.count > prefix.utf8.count else {
                self = .nothing
                return
            }
            found = .customer(AdminAccess.percentDecoded(path.dropFirst(prefix.count)))
        }
        self = method == "GET" || method == "HEAD" ? found : .wrongMethod(allowed: "GET, HEAD")
    }

    /// As a metric's label: no value grows with customers or strangers.
    var label: String {
        switch self {
        case .ingest(.batch): "/v1/batch"
        case .ingest(.call(let call)): "/v1/\(call.rawValue)"
        case .health: "/health"
        case .ready: "/ready"
        case .metrics: "/metrics"
        case .page: "/"
        case .status: "/api/status"
        case .mechanics: "/api/mechanics"
        case .customer: "/api/customers"
        case .preflight, .wrongMethod, .nothing: "other"
        }
    }
}
