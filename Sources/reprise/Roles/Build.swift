import Foundation
import Model

/// Which program this is.
enum Build {
    private static let chunkBytes = 1 << 20

    /// A hash of the program's file, hexadecimal.
    static func name() throws -> String {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/exe"))
        defer { try? file.close() }
        var writer = ByteWriter(reserving: 4096)
        while let chunk = try file.read(upToCount: chunkBytes), !chunk.isEmpty { writer.fixed(Hashing.hash64(Array(chunk))) }
        return String(Hashing.hash64(writer.bytes), radix: 16)
    }
}
