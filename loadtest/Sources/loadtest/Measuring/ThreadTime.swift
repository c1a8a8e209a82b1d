import Glibc

/// Processor time of the calling thread; what its work would take with nobody else on its core.
enum ThreadTime {
    static func seconds() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
