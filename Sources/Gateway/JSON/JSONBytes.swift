internal import Glibc

/// A document's values as bytes, without a text or a reference counted for any of them: for what is read so often that
/// this matters. Valid only within ``JSONDocument/withBytes(_:)``.
///
/// Safe, as every index that it is asked with comes out of the document's own nodes, and the ranges in these were checked
/// when they were made.
@safe
struct JSONBytes {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let text: UnsafeBufferPointer<UInt8>
    private let nodes: UnsafeBufferPointer<JSONNode>

    fileprivate init(
        bytes: UnsafeBufferPointer<UInt8>, text: UnsafeBufferPointer<UInt8>, nodes: UnsafeBufferPointer<JSONNode>
    ) {
        unsafe self.bytes = bytes
        unsafe self.text = text
        unsafe self.nodes = nodes
    }

    subscript(_ index: Int) -> JSONNode { unsafe nodes[index] }

    /// The characters of a string, the digits of a number, the bytes of anything else.
    func content(_ node: JSONNode) -> UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(rebasing: (node.kind == .unescapedString ? text : bytes)[node.range])
    }

    /// Whether a member is called so. Names with escapes are not compared.
    @inline(__always)
    func isName(_ node: JSONNode, _ name: StaticString) -> Bool {
        guard node.length == UInt32(truncatingIfNeeded: name.utf8CodeUnitCount), let base = unsafe bytes.baseAddress else {
            return false
        }
        return unsafe memcmp(base + Int(node.start), name.utf8Start, name.utf8CodeUnitCount) == 0
    }

    /// Whether a value is this text, without escapes; never for index 0, which stands for "not given".
    func isText(_ index: Int, _ text: StaticString) -> Bool {
        index != 0 && self[index].kind == .string && isName(self[index], text)
    }
}

extension JSONDocument {
    func withBytes<Result>(_ body: (JSONBytes) -> Result) -> Result {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe text.withUnsafeBufferPointer { text in
                unsafe nodes.withUnsafeBufferPointer { nodes in
                    body(unsafe JSONBytes(bytes: bytes, text: text, nodes: nodes))
                }
            }
        }
    }
}
