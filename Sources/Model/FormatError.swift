/// A binary form that could not be read: what is wrong, and at which byte.
@usableFromInline
package struct FormatError: Error, Equatable, CustomStringConvertible {
    @usableFromInline
    package enum Code: Equatable, Sendable {
        /// It ends before it is complete.
        case truncated
        /// A value that cannot be; the text names it.
        case invalid(String)
        /// Written by a version that this program does not know.
        case version(UInt8)
        /// Its bytes are not those that were written.
        case checksum
    }

    package let code: Code
    /// Byte offset.
    package let offset: Int

    @usableFromInline
    package init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    @usableFromInline package var description: String {
        switch code {
        case .truncated: "ends early at byte \(offset)"
        case .invalid(let what): "invalid \(what) at byte \(offset)"
        case .version(let version): "unknown version \(version) at byte \(offset)"
        case .checksum: "checksum mismatch at byte \(offset)"
        }
    }
}
