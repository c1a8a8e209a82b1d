internal import Foundation
internal import Model

/// How a file of frames stands: what the manifest says of it. Each frame is its length (4 bytes), its content and the
/// content's XXH3-64; the digest folds the frames' hashes in order.
package struct FrameFile: Codable, Equatable, Sendable {
    /// Within the backup's folder.
    package var path: String
    package var bytes: UInt64 = 0
    package var frames: UInt64 = 0
    package var digest: UInt64 = 0

    package init(path: String) { self.path = path }

    /// A frame's content holds one record, or one chunk, and little else.
    static let contentBytesMax = Limits.messageBytesMax + 64
    static let overhead = 12

    mutating func add(_ content: [UInt8], hash: UInt64) {
        bytes += UInt64(content.count + Self.overhead)
        frames += 1
        var writer = ByteWriter(reserving: 16)
        writer.fixed(digest)
        writer.fixed(hash)
        digest = Hashing.hash64(writer.bytes)
    }
}

/// Appends frames to a file. For one task at a time.
final class FrameWriter {
    private var file: FrameFile
    private let handle: FileHandle
    private var waiting: [UInt8] = []

    private static let flushBytes = 1 << 20

    /// Goes on behind what `file` says is there; anything more is cut off. Makes the file when there is none.
    init(_ folder: URL, _ file: FrameFile) throws {
        let url = folder.appendingPathComponent(file.path)
        if !FileManager.default.fileExists(atPath: url.path) {
            guard FileManager.default.createFile(atPath: url.path, contents: nil) else {
                throw BackupError("\(url.path) cannot be written")
            }
        }
        handle = try FileHandle(forUpdating: url)
        try handle.truncate(atOffset: file.bytes)
        try handle.seek(toOffset: file.bytes)
        self.file = file
    }

    func append(_ content: [UInt8]) throws {
        let hash = Hashing.hash64(content)
        var frame = ByteWriter(reserving: content.count + FrameFile.overhead)
        frame.fixed(UInt32(content.count))
        waiting.append(contentsOf: frame.bytes)
        waiting.append(contentsOf: content)
        var trailer = ByteWriter(reserving: 8)
        trailer.fixed(hash)
        waiting.append(contentsOf: trailer.bytes)
        file.add(content, hash: hash)
        if waiting.count >= Self.flushBytes { try flush() }
    }

    private func flush() throws {
        try handle.write(contentsOf: waiting)
        waiting.removeAll(keepingCapacity: true)
    }

    /// Returns how the file stands once the disk has it.
    func close() throws -> FrameFile {
        try flush()
        try handle.synchronize()
        try handle.close()
        return file
    }
}

/// Reads a file of frames from front to back and compares it with what the manifest says. For one task at a time.
final class FrameReader {
    private let expected: FrameFile
    private let handle: FileHandle
    private var seen: FrameFile
    private var buffer: [UInt8] = []
    private var position = 0

    private static let readBytes = 1 << 20

    init(_ folder: URL, _ file: FrameFile) throws {
        expected = file
        seen = FrameFile(path: file.path)
        let url = folder.appendingPathComponent(file.path)
        guard FileManager.default.fileExists(atPath: url.path) else { throw BackupError("\(file.path) is missing") }
        handle = try FileHandle(forReadingFrom: url)
    }

    deinit {
        // Nothing was written.
        try? handle.close()
    }

    /// The next frame's content; nil behind the last, when the whole file is as the manifest says.
    func next() throws -> [UInt8]? {
        guard try fill(4) else {
            guard position == buffer.count, seen == expected else {
                // What is less than a frame counts too.
                let bytes = seen.bytes + UInt64(buffer.count - position)
                throw BackupError(
                    "\(expected.path) is damaged: it has \(seen.frames) frames and \(bytes) bytes, the manifest says "
                        + "\(expected.frames) and \(expected.bytes), with another digest if these agree")
            }
            return nil
        }
        var head = ByteReader(buffer, in: position..<position + 4)
        let count = Int(try head.fixed(UInt32.self))
        guard count <= FrameFile.contentBytesMax, try fill(count + FrameFile.overhead) else { throw damaged() }
        let start = position + 4
        let content = Array(buffer[start..<start + count])
        var trailer = ByteReader(buffer, in: start + count..<start + count + 8)
        let hash = Hashing.hash64(content)
        guard try trailer.fixed(UInt64.self) == hash else { throw damaged() }
        position += count + FrameFile.overhead
        seen.add(content, hash: hash)
        return content
    }

    private func damaged() -> BackupError {
        BackupError("\(expected.path) is damaged at byte \(seen.bytes), in frame \(seen.frames + 1)")
    }

    /// Whether so many bytes could be had.
    private func fill(_ count: Int) throws -> Bool {
        while buffer.count - position < count {
            guard let more = try handle.read(upToCount: Self.readBytes), !more.isEmpty else { return false }
            buffer.removeFirst(position)
            position = 0
            buffer.append(contentsOf: more)
        }
        return true
    }
}
