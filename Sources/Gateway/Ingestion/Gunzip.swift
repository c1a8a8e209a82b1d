internal import CZlib

/// Decompression with a bound: what would grow beyond it is cut off before it does.
package enum Gunzip {
    package enum Failure: Error, Equatable { case damaged, tooLarge }

    /// All members of a gzip file, one after the other, as RFC 1952 has it.
    package static func inflate(_ bytes: [UInt8], max: Int) throws(Failure) -> [UInt8] {
        var stream = unsafe z_stream()
        guard unsafe inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .damaged
        }
        defer { unsafe inflateEnd(&stream) }
        var out: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        var input = bytes
        let failure: Failure? = unsafe input.withUnsafeMutableBufferPointer { input in
            unsafe stream.next_in = input.baseAddress
            unsafe stream.avail_in = UInt32(input.count)
            while true {
                let (status, produced) = unsafe chunk.withUnsafeMutableBufferPointer { chunk in
                    unsafe stream.next_out = chunk.baseAddress
                    unsafe stream.avail_out = UInt32(chunk.count)
                    let status = unsafe CZlib.inflate(&stream, Z_NO_FLUSH)
                    return unsafe (status, chunk.count - Int(stream.avail_out))
                }
                guard out.count + produced <= max else { return .tooLarge }
                out += chunk[..<produced]
                let left = unsafe stream.avail_in
                switch status {
                case Z_OK where left > 0 || produced == 65_536: continue
                case Z_STREAM_END where left == 0: return nil
                case Z_STREAM_END:
                    guard unsafe inflateReset(&stream) == Z_OK else { return .damaged }
                default: return .damaged
                }
            }
        }
        if let failure { throw failure }
        return out
    }
}
