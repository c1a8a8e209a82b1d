#if DEBUG
    internal import CTrap

    /// A fault put in on purpose, to try what becomes of a worker that traps. Debug builds only: a release build has none.
    enum InjectedTrap {
        /// `REPRISE_FAULT_TRAP_ON`: the name of a track event, or `wake:` and the name of a rule.
        private static let name = unsafe reprise_fault_name().map { unsafe String(cString: $0) }

        /// Traps when this is what the fault was put in for.
        static func hit(_ what: @autoclosure () -> String) {
            if let name, name == what() { fatalError("the fault that was put in: \(name)") }
        }
    }
#endif
