// Bounds of what people write: configuration files and templates (I8).
extension Limits {
    /// One configuration file, or one table of periods.
    package static let configurationFileBytesMax = 8 << 20
    package static let configurationFilesMax = 1000
    /// How deep lists and mappings may stand in each other in a file.
    package static let configurationNestingMax = 64
    /// Conditions of one segment after the segments it names have been put in.
    package static let segmentConditionsMax = 1024
    /// Parts of one `all`, `any` or `none`: what the binary form takes.
    package static let conditionPartsMax = 256
    /// The longest time a rule may name: ten years.
    package static let durationMillisecondsMax = 3660 * Milliseconds.day

    /// Blocks within blocks, and parentheses within parentheses, of a template.
    package static let templateNestingMax = 32
    /// Rounds of all loops of one rendering together.
    package static let templateIterationsMax = 10_000
    /// Evaluated parts of one rendering; long texts count more than once.
    package static let templateStepsMax = 200_000
}
