/// Lets what waits for the caller's actor have its turn first. All of it is jobs of that actor's executor, where
/// `Task.yield()` goes by way of the pool: so whoever made the executor decides what runs next.
func giveWay(isolation: isolated (any Actor)? = #isolation) async {
    await withCheckedContinuation { continuation in
        Task {
            _ = isolation
            continuation.resume()
        }
    }
}
