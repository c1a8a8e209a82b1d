import ArgumentParser

/// Where the cluster is.
struct ClusterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The servers, nats://host:port, separated by commas.", valueName: "urls"))
    var nats: String
    @Option(help: "The installation's name in NATS.")
    var prefix: String = "reprise"
    @Option(help: ArgumentHelp("Wait up to so long for the servers.", valueName: "seconds"))
    var wait: Int = 30
}
