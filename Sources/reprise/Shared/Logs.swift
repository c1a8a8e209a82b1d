import ArgumentParser
import Logging

struct LogOptions: ParsableArguments {
    @Option(help: ArgumentHelp("What is logged to standard error: trace, debug, info, notice, warning, error.", valueName: "level"))
    var logLevel: Logger.Level = .info

    /// Call once, first.
    func bootstrap(_ label: String) -> Logger {
        let level = logLevel
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        return Logger(label: label)
    }
}

extension Logger.Level: ExpressibleByArgument {}
