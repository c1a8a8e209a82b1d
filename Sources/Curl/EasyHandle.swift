internal import CCurl
internal import Foundation

/// One libcurl easy handle and the connections that it keeps open. Used on one thread at a time; every call blocks it.
@safe final class EasyHandle {
    private let handle: UnsafeMutableRawPointer
    private var lists: [UnsafeMutablePointer<curl_slist>] = unsafe []

    /// Runs before the first handle: libcurl's own set-up is not safe to run twice at once.
    private static let prepared: Bool = {
        // A peer that closes while we write must be an error, not the end of the process: with CURLOPT_NOSIGNAL, which
        // threads need, some versions of libcurl leave that to the program.
        _ = signal(SIGPIPE, SIG_IGN)
        return curl_global_init(3) == CURLE_OK
    }()

    init() {
        precondition(Self.prepared, "libcurl could not be set up")
        guard let handle = unsafe curl_easy_init() else { preconditionFailure("libcurl has no memory for a handle") }
        unsafe self.handle = unsafe handle
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        freeLists()
    }

    /// Forgets all options; connections and their caches stay.
    func reset() {
        unsafe curl_easy_reset(handle)
        freeLists()
    }

    func set(_ option: CURLoption, _ value: Int) throws(TransferError) {
        try check(unsafe reprise_curl_set_long(handle, option, value))
    }

    func set(_ option: CURLoption, _ value: String) throws(TransferError) {
        try check(unsafe reprise_curl_set_string(handle, option, value))
    }

    /// A 64-bit size.
    func set(_ option: CURLoption, size: Int) throws(TransferError) {
        try check(unsafe reprise_curl_set_offset(handle, option, curl_off_t(size)))
    }

    /// A list of strings; freed at the next reset.
    func set(_ option: CURLoption, list: [String]) throws(TransferError) {
        var head: UnsafeMutablePointer<curl_slist>?
        for text in list {
            guard let longer = unsafe curl_slist_append(head, text) else {
                preconditionFailure("libcurl has no memory for a list")
            }
            unsafe head = unsafe longer
        }
        guard let head = unsafe head else { return }
        unsafe lists.append(head)
        try check(unsafe reprise_curl_set_pointer(handle, option, head))
    }

    /// Bytes that libcurl reads while it performs; the caller keeps them alive until then.
    func set(_ option: CURLoption, bytes: UnsafeRawBufferPointer) throws(TransferError) {
        try check(unsafe reprise_curl_set_pointer(handle, option, bytes.baseAddress))
    }

    /// A callback and the object it is called with, which the caller keeps alive while the handle performs.
    func set(
        _ option: CURLoption, _ callback: reprise_curl_transfer, _ contextOption: CURLoption, _ context: AnyObject
    ) throws(TransferError) {
        try check(unsafe reprise_curl_set_transfer(handle, option, callback))
        try check(unsafe reprise_curl_set_pointer(handle, contextOption, Unmanaged.passUnretained(context).toOpaque()))
    }

    func performed() -> CURLcode { unsafe curl_easy_perform(handle) }

    /// 0 when libcurl does not know.
    func number(_ info: CURLINFO) -> Int {
        var value = 0
        return unsafe reprise_curl_get_long(handle, info, &value) == CURLE_OK ? value : 0
    }

    private func check(_ code: CURLcode) throws(TransferError) {
        guard code == CURLE_OK else { throw TransferError(.options, TransferError.text(code)) }
    }

    private func freeLists() {
        for unsafe list in unsafe lists { unsafe curl_slist_free_all(list) }
        unsafe lists.removeAll()
    }
}

/// Why a transfer gave no answer.
package struct TransferError: Error, Equatable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// The request cannot be put to libcurl: a bad URL, or something that it was built without.
        case options
        /// No connection, or it was lost.
        case connection
        case timeout
        /// The answer is larger than was allowed.
        case tooLarge
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    static func text(_ code: CURLcode) -> String {
        guard let text = unsafe curl_easy_strerror(code) else { return "libcurl error \(code.rawValue)" }
        return unsafe String(cString: text)
    }
}
