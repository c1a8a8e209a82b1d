internal import CPrefetch
import Model

/// Memory for the packed bytes of dormant customers: pages of 1 MiB, cut into pieces of a few sizes, each size with a chain
/// of free ones. A piece is named by 32 bits. Not safe for concurrent use: it belongs to one shard.
@safe final class Slab {
    /// Page in the upper half, offset in steps of 16 bytes in the lower.
    struct Reference: Equatable, Sendable {
        var raw: UInt32
        static let none = Reference(raw: .max)
    }

    /// A piece, and which of the sizes it has.
    struct Piece: Equatable, Sendable {
        var place: Reference
        var size: Int
        static let none = Piece(place: .none, size: 0)
    }

    private static let pageBytes = 1 << 20
    private static let step = 16
    /// By so many sizes a piece may be larger than what it holds needs: most profiles grow and shrink all the time.
    private static let sizesTooLargeMax = 2
    private static let noPiece = UInt32.max

    /// Addresses of the pages; `capacity` have room, the first `count` are pages.
    private var pages: UnsafeMutablePointer<UnsafeMutableRawPointer>
    private var capacity = 16
    private var count = 0
    /// Next unused offset of the newest page.
    private var used = pageBytes
    /// By size: the piece that was given back last. Each such piece begins with the number of the one before it.
    private var free = [UInt32](repeating: noPiece, count: sizeClass(Limits.profileBytesMax) + 1)

    /// Bytes of all pages.
    var capacityBytes: Int { count * Self.pageBytes }

    init() { unsafe pages = .allocate(capacity: capacity) }

    deinit {
        for index in 0..<count { unsafe pages[index].deallocate() }
        unsafe pages.deallocate()
    }

    /// Sizes grow by 16 bytes to 512, by 128 to 4 KiB, by 4 KiB beyond: little is lost in a piece, and few sizes exist.
    private static func sizeClass(_ count: Int) -> Int {
        if count <= 512 { return (max(count, 1) + 15) / 16 - 1 }
        if count <= 4096 { return 32 + (count - 512 + 127) / 128 - 1 }
        return 60 + (count - 4096 + 4095) / 4096 - 1
    }

    private static func bytes(ofClass index: Int) -> Int {
        if index < 32 { return (index + 1) * 16 }
        if index < 60 { return 512 + (index - 32 + 1) * 128 }
        return 4096 + (index - 60 + 1) * 4096
    }

    /// Whether the piece has room for so many bytes, and not much more than that.
    @inline(__always)
    static func suits(_ size: Int, count: Int) -> Bool {
        let wanted = sizeClass(count)
        return wanted <= size && size - wanted <= sizesTooLargeMax
    }

    /// Puts bytes at a new place, or at the old one where that suits them.
    func store(_ packed: borrowing PackWriter, replacing old: Piece) -> Piece {
        precondition(packed.count <= Limits.profileBytesMax, "a profile of \(packed.count) bytes")
        var piece = old
        if old == .none || !Self.suits(old.size, count: packed.count) {
            if old != .none { remove(old) }
            piece = allocate(Self.sizeClass(packed.count))
        }
        unsafe packed.withBytes { source in
            if let start = source.baseAddress { unsafe pointer(piece.place).copyMemory(from: start, byteCount: source.count) }
        }
        return piece
    }

    /// Puts a piece's first bytes at a new place that suits them.
    func move(_ old: Piece, count: Int) -> Piece {
        let piece = allocate(Self.sizeClass(count))
        unsafe pointer(piece.place).copyMemory(from: pointer(old.place), byteCount: count)
        remove(old)
        return piece
    }

    /// Where a piece begins; to be used until it is given back.
    @inline(__always)
    @unsafe func start(of place: Reference) -> UnsafeMutablePointer<UInt8> {
        unsafe pointer(place).assumingMemoryBound(to: UInt8.self)
    }

    /// Puts a part of an array at a new place.
    func store(_ bytes: [UInt8], in range: Range<Int>) -> Piece {
        precondition(range.count <= Limits.profileBytesMax, "a profile of \(range.count) bytes")
        let piece = allocate(Self.sizeClass(range.count))
        unsafe bytes.withUnsafeBytes { source in
            let part = unsafe UnsafeRawBufferPointer(rebasing: source[range])
            if let start = part.baseAddress { unsafe pointer(piece.place).copyMemory(from: start, byteCount: part.count) }
        }
        return piece
    }

    /// Asks for the first lines of a piece before their turn, `count` bytes of it at the most.
    @inline(__always)
    func prefetch(_ place: Reference, count: Int) {
        let start = unsafe pointer(place)
        for offset in stride(from: 0, to: min(count, 256), by: 64) { unsafe reprise_prefetch(start + offset) }
    }

    /// Copies a piece's bytes to the end of `bytes`.
    func append(_ place: Reference, count: Int, to bytes: inout [UInt8]) {
        unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: pointer(place), count: count))
    }

    /// Copies a piece's bytes over the first of `bytes`, which must have room.
    func copy(_ place: Reference, count: Int, to bytes: inout [UInt8]) {
        unsafe bytes.withUnsafeMutableBytes { target in
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(start: pointer(place), count: count))
        }
    }

    /// Copies a piece's bytes to the end of `bytes`, which is emptied first.
    func load(_ place: Reference, count: Int, into bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: pointer(place), count: count))
    }

    /// Whether the piece begins with these bytes behind their length, as a packed customer begins with its key.
    func holdsKey(_ place: Reference, _ bytes: [UInt8], in range: Range<Int>) -> Bool {
        let start = unsafe pointer(place)
        guard unsafe Int(start.load(as: UInt8.self)) == range.count else { return false }
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside of the bytes")
        let stored = unsafe (start + 1).assumingMemoryBound(to: UInt8.self)
        return unsafe bytes.withUnsafeBufferPointer { all in
            guard let first = all.baseAddress else { return range.isEmpty }
            return unsafe stored.equals(first + range.lowerBound, count: range.count)
        }
    }

    @inline(__always)
    private func pointer(_ place: Reference) -> UnsafeMutableRawPointer {
        let page = Int(place.raw >> 16)
        precondition(page < count, "no such piece")
        return unsafe pages[page] + Int(place.raw & 0xffff) * Self.step
    }

    /// Gives a piece back.
    func remove(_ piece: Piece) {
        unsafe pointer(piece.place).storeBytes(of: free[piece.size], as: UInt32.self)
        free[piece.size] = piece.place.raw
    }

    private func allocate(_ size: Int) -> Piece {
        // One that is a little too large is better than one more.
        for known in size...min(size + Self.sizesTooLargeMax, free.count - 1) where free[known] != Self.noPiece {
            let place = Reference(raw: free[known])
            free[known] = unsafe pointer(place).load(as: UInt32.self)
            return Piece(place: place, size: known)
        }
        let bytes = Self.bytes(ofClass: size)
        if used + bytes > Self.pageBytes { addPage() }
        defer { used += bytes }
        return Piece(place: Reference(raw: UInt32(count - 1) << 16 | UInt32(used / Self.step)), size: size)
    }

    private func addPage() {
        precondition(count < 0xffff, "a shard of 64 GiB")
        if count == capacity {
            let more = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: 2 * capacity)
            unsafe more.initialize(from: pages, count: count)
            unsafe pages.deallocate()
            unsafe pages = more
            capacity *= 2
        }
        unsafe (pages + count).initialize(to: .allocate(byteCount: Self.pageBytes, alignment: 64))
        count += 1
        used = 0
    }
}
