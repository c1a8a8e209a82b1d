// Texts out of bytes. The standard library validates them through code that is not made for bytes in particular, which costs
// more than all else that an event does; nearly all texts here are short and ASCII.

extension String {
    /// Whether every byte is below 128.
    @inlinable
    package static func isASCII(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let raw = UnsafeRawBufferPointer(bytes)
        var place = 0
        var seen: UInt64 = 0
        while place + 8 <= raw.count {
            seen |= unsafe raw.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            place += 8
        }
        while place < raw.count {
            seen |= UInt64(unsafe raw[place])
            place += 1
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }

    /// Nil when the bytes are no UTF-8.
    @inlinable
    package init?(utf8 bytes: UnsafeBufferPointer<UInt8>) {
        guard unsafe Self.isASCII(bytes) else {
            guard let text = unsafe String(validating: bytes, as: UTF8.self) else { return nil }
            self = text
            return
        }
        unsafe self.init(unsafeUninitializedCapacity: bytes.count) { target in
            unsafe target.initialize(fromContentsOf: bytes)
        }
    }
}
