import ArgumentParser

/// What runs of roles are called.
enum Names {
    /// New for every run.
    static func instance() -> String { String(UInt64.random(in: 1...UInt64.max), radix: 16) }

    static func check(_ name: String, _ option: String) throws {
        let allowed = name.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
        guard allowed, (1...64).contains(name.utf8.count) else {
            throw ValidationError("\(option) '\(name)': 1 to 64 of a-z, 0-9 and - are wanted")
        }
    }
}
