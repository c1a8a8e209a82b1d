internal import Model

/// Bounds of one rendering; what goes beyond stops that message with a reason.
package struct RenderLimits: Equatable, Sendable {
    /// UTF-8 bytes of the result, and of any value on the way.
    package var outputBytes: Int
    /// Rounds of all loops together.
    package var iterations: Int
    /// Evaluated parts; long texts count more than once.
    package var steps: Int

    package init() {
        outputBytes = Limits.renderedMessageBytesMax
        iterations = Limits.templateIterationsMax
        steps = Limits.templateStepsMax
    }

    /// Blocks within blocks, parentheses within parentheses.
    static var nestingMax: Int { Limits.templateNestingMax }
    static var sourceBytesMax: Int { Limits.templateBytesMax }
}
