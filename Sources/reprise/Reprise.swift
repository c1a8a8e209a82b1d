import ArgumentParser

import Yams

@main
struct Reprise: AsyncParsableCommand {
    func run() async throws { print("reprise") }
}
