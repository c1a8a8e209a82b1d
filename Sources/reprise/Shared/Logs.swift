import ArgumentParser
import Logging

struct LogOptions: ParsableArguments {
    enum Level: String, CaseIterable, ExpressibleByArgument, Sendable {
        case debug, info, notice, warning, error

        var level: Logger.Level {
            switch self {
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            }
        }
    }

    @Option(help: ArgumentHelp("From which level on to log to standard error.", valueName: "level"))
    var logLevel: Level = .info

    /// Call once, first.
    func bootstrap(_ label: String) -> Logger {
        let level = logLevel.level
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        return Logger(label: label)
    }
}
