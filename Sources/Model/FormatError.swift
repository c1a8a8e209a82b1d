/// A binary form that could not be read: what is wrong, and at which byte.
@usableFromInline
package struct FormatError: Error, Equatable, CustomStringConvertible {
    @usableFromInline
    package enum Code: Equatable, Sendable {
        /// It ends before it is complete.
        case truncated
        /// A value that cannot be; the text names it.
        case invalid(String)
        /// Of a version that this program does not know: what it is, and the version that is known.
        case version(UInt8, of: String, known: UInt8)
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
        case .version(let version, let what, let known): "\(UnknownVersion(of: what, found: Int(version), known: Int(known)))"
        case .checksum: "checksum mismatch at byte \(offset)"
        }
    }
}
