// Numbers in packed bytes, as ``PackWriter`` writes them: least significant byte first, at any address.

extension UnsafeMutablePointer where Pointee == UInt8 {
    @inline(__always)
    func load<Value: FixedWidthInteger & BitwiseCopyable>(_ place: Int, as type: Value.Type = Value.self) -> Value {
        unsafe Value(littleEndian: UnsafeRawPointer(self).loadUnaligned(fromByteOffset: place, as: Value.self))
    }

    @inline(__always)
    func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at place: Int) {
        unsafe UnsafeMutableRawPointer(self).storeBytes(of: value.littleEndian, toByteOffset: place, as: Value.self)
    }

    /// Milliseconds in six bytes; `PackWriter.noTime` = none.
    @inline(__always)
    func time(_ place: Int) -> Int64 {
        Int64(unsafe load(place, as: UInt32.self)) | Int64(unsafe load(place + 4, as: UInt16.self)) << 32
    }

    @inline(__always)
    func store(time: Int64, at place: Int) {
        unsafe store(UInt32(truncatingIfNeeded: time), at: place)
        unsafe store(UInt16(truncatingIfNeeded: time >> 32), at: place + 4)
    }

    /// Three bytes.
    @inline(__always)
    func small(_ place: Int) -> UInt32 {
        UInt32(unsafe load(place, as: UInt16.self)) | UInt32(unsafe self[place + 2]) << 16
    }

    @inline(__always)
    func store(small: UInt32, at place: Int) {
        unsafe store(UInt16(truncatingIfNeeded: small), at: place)
        unsafe self[place + 2] = UInt8(truncatingIfNeeded: small >> 16)
    }

    /// Copies bytes here that stand elsewhere. Most pieces are short, and are copied as two numbers that overlap.
    @inline(__always)
    func take(_ other: UnsafeRawPointer, count: Int) {
        if count > 16 {
            unsafe UnsafeMutableRawPointer(self).copyMemory(from: other, byteCount: count)
        } else if count >= 8 {
            let (first, last) = unsafe (
                other.loadUnaligned(as: UInt64.self), other.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
            )
            unsafe UnsafeMutableRawPointer(self).storeBytes(of: first, as: UInt64.self)
            unsafe UnsafeMutableRawPointer(self).storeBytes(of: last, toByteOffset: count - 8, as: UInt64.self)
        } else if count >= 4 {
            let (first, last) = unsafe (
                other.loadUnaligned(as: UInt32.self), other.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
            )
            unsafe UnsafeMutableRawPointer(self).storeBytes(of: first, as: UInt32.self)
            unsafe UnsafeMutableRawPointer(self).storeBytes(of: last, toByteOffset: count - 4, as: UInt32.self)
        } else {
            for place in 0..<count { unsafe self[place] = other.load(fromByteOffset: place, as: UInt8.self) }
        }
    }

    /// Whether `count` bytes are the same here and there.
    @inline(__always)
    func equals(_ other: UnsafePointer<UInt8>, count: Int) -> Bool {
        var place = 0
        while place + 8 <= count {
            let left = unsafe UnsafeRawPointer(self).loadUnaligned(fromByteOffset: place, as: UInt64.self)
            let right = unsafe UnsafeRawPointer(other).loadUnaligned(fromByteOffset: place, as: UInt64.self)
            if left != right { return false }
            place += 8
        }
        while place < count {
            if unsafe self[place] != other[place] { return false }
            place += 1
        }
        return true
    }
}
