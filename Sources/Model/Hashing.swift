internal import CXXHash

/// Hashes that are the same on every machine and in every version: XXH3, seedless.
///
/// They place customers and find damage; they do not protect against a forger.
package enum Hashing {
    package static func hash64(_ bytes: [UInt8]) -> UInt64 {
        unsafe bytes.withUnsafeBytes { unsafe reprise_hash64($0.baseAddress, $0.count) }
    }

    package static func hash64(_ bytes: [UInt8], in range: Range<Int>) -> UInt64 {
        unsafe bytes.withUnsafeBytes { raw in
            let part = unsafe UnsafeRawBufferPointer(rebasing: raw[range])
            return unsafe reprise_hash64(part.baseAddress, part.count)
        }
    }

    package static func hash64(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        unsafe reprise_hash64(bytes.baseAddress, bytes.count)
    }

    package static func hash64(_ text: String) -> UInt64 {
        var text = text
        return text.withUTF8 { unsafe reprise_hash64($0.baseAddress, $0.count) }
    }

    package static func hash128(_ bytes: [UInt8]) -> UInt128 {
        unsafe bytes.withUnsafeBytes { raw in
            let hash = unsafe reprise_hash128(raw.baseAddress, raw.count)
            return UInt128(hash.high) << 64 | UInt128(hash.low)
        }
    }

    package static func hash128(_ bytes: UnsafeRawBufferPointer) -> UInt128 {
        let hash = unsafe reprise_hash128(bytes.baseAddress, bytes.count)
        return UInt128(hash.high) << 64 | UInt128(hash.low)
    }

    package static func hash128(_ text: String) -> UInt128 { hash128(Array(text.utf8)) }
}
