internal import FoundationEssentials
internal import Model
internal import NATS

/// The fixed settings of an installation as they stand in its first stream.
struct SettingsRecord: Codable, Equatable {
    static let formatVersion = 1

    var format: Int
    var shards: Int
    /// `live` or `event-time`.
    var time: String
    var replicas: Int
    /// Set when all streams stand.
    var complete: Bool?
    /// The backup that is being put back; nobody may open the installation until that is finished.
    var restoring: String?

    init(_ settings: Installation) {
        format = Self.formatVersion
        shards = settings.shards.shards
        time = settings.timeMode == .live ? "live" : "event-time"
        replicas = settings.replicas
    }

    var withoutState: SettingsRecord {
        var record = self
        record.complete = nil
        return record
    }

    var sentence: String {
        "\(shards) shards, \(time) mode, \(replicas) \(replicas == 1 ? "replica" : "replicas"), format \(format)"
    }

    func installation() throws(InstallationError) -> Installation {
        guard format == Self.formatVersion else {
            throw InstallationError(
                .invalid, "The installation is of format \(format); this program knows format \(Self.formatVersion).")
        }
        guard let shards = ShardMap(shards: shards), time == "live" || time == "event-time", (1...5).contains(replicas) else {
            throw InstallationError(.invalid, "The installation's stored settings make no sense: \(sentence).")
        }
        return Installation(shards: shards, timeMode: time == "live" ? .live : .eventTime, replicas: replicas)
    }

    func encoded() throws(NATSError) -> [UInt8] {
        do {
            return [UInt8](try JSONEncoder().encode(self))
        } catch {
            throw NATSError(.invalid, "the settings cannot be written: \(error)")
        }
    }

    static func decoded(_ bytes: [UInt8]) throws(InstallationError) -> SettingsRecord {
        do {
            return try JSONDecoder().decode(SettingsRecord.self, from: Data(bytes))
        } catch {
            throw InstallationError(.invalid, "The installation's stored settings cannot be read: \(error).")
        }
    }
}
