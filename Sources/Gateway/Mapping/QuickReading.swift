internal import Model

/// Fields of a document as bytes, as long as they are usual. Nil = not: the field is to be read the long way
/// (``FieldReading``), which also says what is wrong with it. What comes out is what the long way makes of it.
struct QuickReading {
    let json: JSONBytes
    let settings: EventMapping.Settings

    /// Where a text stands; valid as long as the document's bytes.
    typealias Text = UnsafeBufferPointer<UInt8>

    static var empty: Text { unsafe Text(start: nil, count: 0) }

    /// The members of an object, from the first to the last.
    struct Members {
        private let json: JSONBytes
        private var position: Int
        private let end: Int
        /// A name had escapes, or came twice: then nothing of the object is usual.
        var isOdd = false
        private var seen: UInt32 = 0

        fileprivate init(_ json: JSONBytes, of index: Int) {
            self.json = json
            position = index + 1
            end = Int(json[index].next)
        }

        /// The name's node and the value's index; nil behind the last, and where the object is odd.
        @inline(__always)
        mutating func next() -> (name: JSONNode, value: Int)? {
            guard position < end, !isOdd else { return nil }
            let name = json[position]
            let value = position + 1
            position = Int(json[value].next)
            guard name.kind == .string else {
                isOdd = true
                return nil
            }
            return (name, value)
        }

        /// The value's index for a name that is known by this number, 0 when it is null: that counts as not given.
        @inline(__always)
        mutating func take(_ value: Int, _ number: UInt32) -> Int {
            isOdd = isOdd || seen & (1 << number) != 0
            seen |= 1 << number
            return json[value].kind == .null ? 0 : value
        }
    }

    func members(of index: Int) -> Members { Members(json, of: index) }

    /// A string or a number without blanks around it and without NUL; empty for index 0, which stands for "not given".
    @inline(__always)
    func text(_ index: Int, bytesMax: Int) -> Text? {
        guard index != 0 else { return unsafe Self.empty }
        let node = json[index]
        switch node.kind {
        case .string, .number: break
        case .unescapedString: if unsafe json.content(node).contains(0) { return nil }
        case .null, .yes, .no, .object, .array: return nil
        }
        let text = unsafe json.content(node)
        guard text.count <= bytesMax else { return nil }
        guard !text.isEmpty else { return unsafe text }
        return unsafe Self.isBlank(text[0]) || Self.isBlank(text[text.count - 1]) ? nil : text
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0d) }

    /// A text in ASCII that names somebody or something and is no placeholder.
    func identifier(_ index: Int, bytesMax: Int) -> Text? {
        guard let text = unsafe text(index, bytesMax: bytesMax), !text.isEmpty else { return nil }
        var all: UInt8 = 0
        for place in text.indices {
            let byte = unsafe text[place]
            all |= byte
            guard byte >= 0x20, byte != 0x7f else { return nil }
        }
        guard all < 0x80, unsafe !Placeholders.mayContain(text) else { return nil }
        return unsafe text
    }

    /// A number of pieces; 1 when not given.
    func quantity(_ index: Int) -> Int64? {
        guard index != 0 else { return 1 }
        guard let thousandths = scaled(index, digits: 3), thousandths % 1000 == 0, thousandths >= 1000,
            thousandths <= Limits.quantityMax * 1000
        else { return nil }
        return thousandths / 1000
    }

    /// A number without sign and exponent, of up to 18 digits, times ten to the power of `digits`, rounded half to even.
    func scaled(_ index: Int, digits: Int) -> Int64? {
        var value: Int64 = 0
        var count = 0
        var behindPoint = -1
        let written = unsafe json.content(json[index])
        for place in written.indices {
            let byte = unsafe written[place]
            if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                value = value &* 10 &+ Int64(byte - UInt8(ascii: "0"))
                count += 1
                if behindPoint >= 0 { behindPoint += 1 }
            } else if byte == UInt8(ascii: "."), behindPoint < 0 {
                behindPoint = 0
            } else {
                return nil
            }
        }
        switch json[index].kind {
        case .number, .string, .unescapedString: break
        case .null, .yes, .no, .object, .array: return nil
        }
        guard count >= 1, count <= 18 else { return nil }
        let missing = digits - max(behindPoint, 0)
        guard missing < 0 else {
            guard missing <= 18 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: Self.powers[missing])
            return overflow ? nil : product
        }
        let divisor = Self.powers[-missing]
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
        return rest > divisor / 2 || (rest == divisor / 2 && quotient % 2 == 1) ? quotient + 1 : quotient
    }

    private static let powers: [Int64] = (0...18).map { power in (0..<power).reduce(1) { value, _ in value * 10 } }

    /// A time of ISO 8601 within the allowed years.
    func time(_ index: Int) -> Instant? {
        let node = json[index]
        guard node.kind == .string, let time = unsafe TimeParser.iso8601(json.content(node)), time >= Limits.timeMin,
            time < Limits.timeMax
        else { return nil }
        return time
    }
}
