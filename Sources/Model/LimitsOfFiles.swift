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
    /// Products, categories or brands that one condition may name.
    package static let goodsPerConditionMax = 4096
    /// The largest rhythm or pace: a thousand times.
    package static let percentMax: Int64 = 100_000
    /// The largest number that a trait may be compared with, in ten-thousandths: a hundred billions.
    package static let traitNumberMax: Int64 = 1_000_000_000_000_000
    /// The largest interest that may be asked for, in hundredths.
    package static let interestMax: Int64 = 100_000_000
    /// Days before and after an anniversary: less than half a year, so that no two years' meet.
    package static let anniversaryDaysMax: Int64 = 180
    /// The longest time a rule may name: ten years.
    package static let durationMillisecondsMax = 3660 * Milliseconds.day

    /// Blocks within blocks, and parentheses within parentheses, of a template.
    package static let templateNestingMax = 32
    /// Words and signs within one output or tag: what bounds the depth of its expression.
    package static let templateTagTokensMax = 500
    /// Rounds of all loops of one rendering together.
    package static let templateIterationsMax = 10_000
    /// Evaluated parts of one rendering; long texts count more than once.
    package static let templateStepsMax = 200_000
}
