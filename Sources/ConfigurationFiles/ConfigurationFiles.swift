internal import Foundation
package import Model

/// Reads rules, segments, templates and settings from YAML, and checks all of it before any of it is used.
///
/// Blocking; for the command line and tests.
package enum ConfigurationFiles {
    /// Files, and folders with all `.yaml` and `.yml` files below them.
    ///
    /// Throws everything that is wrong in any of the files.
    package static func load(paths: [String]) throws(ConfigurationErrors) -> RuleSet {
        let report = Report()
        let names = FileFinder(report: report).files(paths)
        guard report.problems.isEmpty else { throw report.errors }
        return try load(names: names, report: report) { name in FileFinder.bytes(of: name) }
    }

    /// Texts in memory; those whose names do not end in `.yaml` or `.yml` are tables that rules may name.
    package static func load(sources: [(name: String, text: String)]) throws(ConfigurationErrors) -> RuleSet {
        try load(names: sources.map(\.name).filter(FileFinder.isConfiguration), report: Report()) { name in
            if let source = sources.first(where: { $0.name == name }) {
                .success(Array(source.text.utf8))
            } else {
                .failure(FileFinder.Fault(message: "there is no such file"))
            }
        }
    }

    static func load(
        names: [String], report: Report, bytes: @escaping (String) -> Result<[UInt8], FileFinder.Fault>
    ) throws(ConfigurationErrors) -> RuleSet {
        var assembly = Assembly(report: report, bytes: bytes)
        for (order, name) in names.enumerated() { assembly.add(name, order: order) }
        let set = assembly.finish()
        guard report.problems.isEmpty else { throw report.errors }
        return set
    }
}

/// Finds files and reads them.
struct FileFinder {
    struct Fault: Error { let message: String }

    let report: Report

    static func isConfiguration(_ name: String) -> Bool {
        let lower = name.lowercased()
        return lower.hasSuffix(".yaml") || lower.hasSuffix(".yml")
    }

    static func bytes(of name: String) -> Result<[UInt8], Fault> {
        var isFolder: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: name, isDirectory: &isFolder) else {
            return .failure(Fault(message: "there is no such file"))
        }
        if isFolder.boolValue { return .failure(Fault(message: "this is a folder")) }
        do {
            let size = try FileManager.default.attributesOfItem(atPath: name)[.size] as? Int ?? 0
            guard size <= Limits.configurationFileBytesMax else {
                return .failure(
                    Fault(message: "the file has \(size) bytes; at most \(Limits.configurationFileBytesMax) are allowed"))
            }
            return .success([UInt8](try Data(contentsOf: URL(filePath: name))))
        } catch {
            return .failure(Fault(message: "cannot be read: \(error.localizedDescription)"))
        }
    }

    /// Sorted within each folder; each file once.
    func files(_ paths: [String]) -> [String] {
        var names: [String] = []
        for (order, path) in paths.enumerated() {
            let whole = Place(file: path, line: 0, column: 0, order: order)
            var isFolder: ObjCBool = false
            guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                report.add(whole, "", "there is no such file or folder")
                continue
            }
            let found = isFolder.boolValue ? Self.below(path) : [path]
            if found.isEmpty { report.add(whole, "", "the folder holds no .yaml or .yml file") }
            names += found.filter { !names.contains($0) }
        }
        if paths.isEmpty { report.add(Place(file: "", line: 0, column: 0, order: 0), "", "no file was named") }
        if names.count > Limits.configurationFilesMax {
            let whole = Place(file: paths.first ?? "", line: 0, column: 0, order: 0)
            report.add(whole, "", "\(names.count) files; at most \(Limits.configurationFilesMax) are allowed")
        }
        return names
    }

    private static func below(_ folder: String) -> [String] {
        let base = folder.hasSuffix("/") ? folder : folder + "/"
        let inside = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        let visible = inside.filter { path in isConfiguration(path) && !path.split(separator: "/").contains { $0.hasPrefix(".") }
        }
        return visible.sorted().map { base + $0 }
    }
}
