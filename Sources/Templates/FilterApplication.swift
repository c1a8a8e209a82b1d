extension Evaluator {
    /// One filter's work. What is missing stays missing until a `default`.
    mutating func apply(_ call: FilterCall, to input: Result) throws(Fault) -> Result {
        if call.filter == .default {
            if let value = input.value, !value.isEmpty { return input }
            return try evaluate(call.arguments[0])
        }
        guard let value = input.value else { return input }
        var arguments: [TemplateValue] = []
        for argument in call.arguments { arguments.append(try present(try evaluate(argument), at: call.offset)) }
        try count(1 + (value.text?.utf8.count ?? 0) / 64, at: call.offset)
        let result = try changed(value, safe: input.safe, call, arguments)
        if let bytes = result.value?.text?.utf8.count, bytes > limits.outputBytes { throw tooLong(at: call.offset) }
        return result
    }

    func tooLong(at offset: Int) -> Fault { Fault(.limit, at: offset, "a text grows beyond \(limits.outputBytes) bytes") }

    private mutating func changed(_ value: TemplateValue, safe: Bool, _ call: FilterCall, _ arguments: [TemplateValue])
        throws(Fault) -> Result
    {
        let at = call.offset
        switch call.filter {
        case .first, .last, .size, .join: return try listFilter(value, call, arguments)
        case .numberFormat, .money, .round: return Result(value: .string(try numberFilter(value, call, arguments)))
        case .date: return Result(value: .string(try date(value, arguments[0], at: at)))
        case .raw: return Result(value: .string(try text(value, call)), safe: true)
        case .escape: return Result(value: .string(safe ? try text(value, call) : Escape.html(try text(value, call))), safe: true)
        case .newlineToBreak:
            let source = try text(value, call)
            return Result(value: .string(TextFilters.breaks(safe || escape == .none ? source : Escape.html(source))), safe: true)
        case .upcase: return Result(value: .string(try text(value, call).uppercased()))
        case .downcase: return Result(value: .string(try text(value, call).lowercased()))
        case .capitalize: return Result(value: .string(TextFilters.capitalized(try text(value, call))))
        case .strip: return Result(value: .string(TextFilters.stripped(try text(value, call))))
        case .urlEncode: return Result(value: .string(Escape.url(try text(value, call))))
        case .truncate:
            let ending = arguments.count > 1 ? try text(arguments[1], call) : "..."
            let length = try wholeNumber(arguments[0], in: 0...1_000_000, call)
            return Result(value: .string(TextFilters.truncated(try text(value, call), to: length, ending: ending)))
        case .replace:
            let replaced = TextFilters.replaced(
                try text(value, call), try text(arguments[0], call), with: try text(arguments[1], call),
                bytesMax: limits.outputBytes)
            guard let replaced else { throw tooLong(at: at) }
            return Result(value: .string(replaced))
        case .default: return Result(value: value, safe: safe)
        }
    }

    private func text(_ value: TemplateValue, _ call: FilterCall) throws(Fault) -> String {
        if let text = value.text { return text }
        throw Fault(.value, at: call.offset, "the filter '\(call.filter.rawValue)' takes a text, not \(value.kind)")
    }

    private func wholeNumber(_ value: TemplateValue, in range: ClosedRange<Int>, _ call: FilterCall) throws(Fault) -> Int {
        if let number = value.decimal, number.scale == 0, let whole = Int(exactly: number.unscaled), range.contains(whole) {
            return whole
        }
        throw Fault(
            .value, at: call.offset,
            "the filter '\(call.filter.rawValue)' takes a whole number "
                + "from \(range.lowerBound) to \(range.upperBound), not \(Self.excerpt(value))"
        )
    }

    private mutating func listFilter(_ value: TemplateValue, _ call: FilterCall, _ arguments: [TemplateValue]) throws(Fault)
        -> Result
    {
        if call.filter == .size {
            if case .list(let items) = value { return Result(value: .integer(Int64(items.count))) }
            return Result(value: .integer(Int64(try text(value, call).count)))
        }
        guard case .list(let items) = value else {
            throw Fault(.value, at: call.offset, "the filter '\(call.filter.rawValue)' takes a list, not \(value.kind)")
        }
        switch call.filter {
        case .first, .last:
            let item = call.filter == .first ? items.first : items.last
            let nothing = VariablePath(name: "\(call.filter.rawValue) of an empty list", steps: [], offset: call.offset)
            return Result(value: item, missing: item == nil ? nothing : nil)
        default: break
        }
        try count(items.count, at: call.offset)
        let separator = try text(arguments[0], call)
        var joined = ""
        for (index, item) in items.enumerated() {
            if index > 0 { joined += separator }
            joined += try text(item, call)
            guard joined.utf8.count <= limits.outputBytes else { throw tooLong(at: call.offset) }
        }
        return Result(value: .string(joined))
    }

    private func numberFilter(_ value: TemplateValue, _ call: FilterCall, _ arguments: [TemplateValue]) throws(Fault) -> String {
        guard let number = value.decimal else {
            throw Fault(
                .value, at: call.offset, "the filter '\(call.filter.rawValue)' takes a number, not \(Self.excerpt(value))")
        }
        switch call.filter {
        case .money:
            let amount = number.formatted(decimals: 2, point: ".", thousands: ",")
            return arguments.isEmpty ? amount : amount + " " + (try text(arguments[0], call))
        case .round:
            let decimals = arguments.isEmpty ? 0 : try wholeNumber(arguments[0], in: 0...18, call)
            return number.formatted(decimals: min(decimals, max(number.scale, 0)), point: ".", thousands: "")
        default:
            return number.formatted(
                decimals: arguments.isEmpty ? 0 : try wholeNumber(arguments[0], in: 0...18, call),
                point: arguments.count > 1 ? try text(arguments[1], call) : ".",
                thousands: arguments.count > 2 ? try text(arguments[2], call) : ",")
        }
    }

    private func date(_ value: TemplateValue, _ format: TemplateValue, at offset: Int) throws(Fault) -> String {
        guard let text = value.text, let time = CivilTime(text) else {
            throw Fault(
                .value, at: offset, "'\(Self.excerpt(value))' is no date; a date is written 2024-12-31 or 2024-12-31T10:00:00Z")
        }
        guard let pattern = format.text else { throw Fault(.value, at: offset, "a date's format is a text") }
        return DateFormat.print(time, try DateFormat.parts(of: pattern, at: offset))
    }
}

/// Texts in, texts out.
enum TextFilters {
    static func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst().lowercased() }

    static func stripped(_ text: String) -> String {
        var rest = text[...]
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest)
    }

    /// At most so many characters, the ending included.
    static func truncated(_ text: String, to length: Int, ending: String) -> String {
        guard text.count > length else { return text }
        return text.prefix(max(0, length - ending.count)) + ending
    }

    static func breaks(_ text: String) -> String {
        var result = ""
        for character in text { if character.isNewline { result += "<br />\n" } else { result.append(character) } }
        return result
    }

    /// Nil when the result is longer than allowed.
    static func replaced(_ text: String, _ part: String, with replacement: String, bytesMax: Int) -> String? {
        let needle = Array(part.utf8)
        guard !needle.isEmpty else { return text }
        var rest = Array(text.utf8)[...]
        var result: [UInt8] = []
        while let found = find(needle, in: rest) {
            result += rest[rest.startIndex..<found]
            result += replacement.utf8
            rest = rest[(found + needle.count)...]
            guard result.count <= bytesMax else { return nil }
        }
        result += rest
        return result.count <= bytesMax ? String(decoding: result, as: UTF8.self) : nil
    }

    /// Where the bytes first stand; nil when they do not, or there are none.
    static func find(_ needle: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard let first = needle.first, bytes.count >= needle.count else { return nil }
        var index = bytes.startIndex
        while index <= bytes.endIndex - needle.count {
            if bytes[index] == first, bytes[index..<(index + needle.count)].elementsEqual(needle) { return index }
            index += 1
        }
        return nil
    }
}
