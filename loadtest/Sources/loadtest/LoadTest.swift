import ArgumentParser

@main
struct LoadTest: AsyncParsableCommand {
    func run() async throws {}
}
