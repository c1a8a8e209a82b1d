import ArgumentParser
import Foundation
import PurchaseFiles

/// ``PurchaseFormat`` as it stands on the command line.
enum FormatName: String, CaseIterable, ExpressibleByArgument {
    case cdnow, orders

    var format: PurchaseFormat {
        switch self {
        case .cdnow: .cdnow
        case .orders: .orders
        }
    }
}

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Send a file of orders through the gateway.",
        discussion: """
            Formats, found out by the first row:
              orders  CSV with the columns order_id, customer_id, date, total
                      and, where known, email, first_name, product, quantity;
                      comma, semicolon or tab between. Rows that follow each
                      other with one order_id are the lines of one order:

                order_id,customer_id,email,date,product,quantity,total
                A-1,4711,ada@example.com,2024-05-31T18:30:00Z,tea,2,9.80

              cdnow   CDNOW's data: customer, day, number of CDs, value

            Rows that cannot be read are named with their number and the reason, and the rest goes in. A file may be sent \
            again, whole or from a row on: orders are known by their ids and count once. An address in the file is taken \
            as consent to e-mail. Exit code 2 when rows were left out.
            """)

    @OptionGroup var gateway: GatewayAddressOptions
    @Argument(help: "The file.", completion: .file(extensions: ["csv", "txt"]))
    var file: String
    @Option(help: "How to read it, where the first row does not tell.")
    var format: FormatName?
    @Option(help: ArgumentHelp("Begin at this row; a run that stopped says which.", valueName: "number"))
    var fromRow: Int = 1
    @Flag(help: "Print what was sent as JSON.")
    var json = false

    private struct Summary: Encodable {
        var orders: Int
        var customers: Int
        var brokenRows: [String: String]
    }

    func validate() throws {
        guard fromRow >= 1 else { throw ValidationError("--from-row: 1 or more") }
    }

    func run() async throws {
        let connection = try gateway.connection()
        guard let handle = FileHandle(forReadingAtPath: file) else { throw CommandError("'\(file)' cannot be read") }
        let size = try handle.seekToEnd()
        try handle.seek(toOffset: 0)
        var reader = PurchaseReader(format: format?.format)
        var loading = Loading(connection: connection, fromRow: fromRow)
        var bar = ProgressBar(total: Int(size))
        var read = 0
        do {
            while let piece = try handle.read(upToCount: 256 << 10), !piece.isEmpty {
                read += piece.count
                try await loading.take(try reader.read(Array(piece)))
                bar.show(read, "\(Figures.count(reader.rows)) rows")
            }
            try await loading.take(try reader.finish())
            try await loading.finish()
        } catch let error as BrokenRow {
            throw CommandError("\(file): \(error)")
        } catch let error where loading.sent > 0 {
            bar.finish()
            throw CommandError("\(error); stopped: go on with --from-row \(loading.nextRow)")
        }
        bar.finish()
        if !reader.ignoredColumns.isEmpty {
            Output.note("columns that were not read: \(reader.ignoredColumns.joined(separator: ", "))")
        }
        for broken in loading.broken.sorted(by: { $0.row < $1.row }) { Output.note("\(file): \(broken)") }
        if loading.brokenCount > loading.broken.count {
            Output.note("… and \(Figures.count(loading.brokenCount - loading.broken.count)) more broken rows")
        }
        if json {
            let rows = Dictionary(loading.broken.map { (String($0.row), $0.reason) }) { first, _ in first }
            try Output.json(Summary(orders: loading.sent, customers: loading.customers, brokenRows: rows))
        } else {
            let sent = "\(Figures.count(loading.sent)) orders of \(Figures.count(loading.customers)) customers sent"
            print("\(sent), \(Figures.count(loading.brokenCount)) rows left out")
        }
        if loading.brokenCount > 0 { throw ExitCode(2) }
    }
}

/// Gathers purchases into batches and sends them in the file's order.
struct Loading {
    private let connection: GatewayConnection
    private let fromRow: Int
    private var gathered: [Purchase] = []
    private var known: Set<String> = []

    /// Orders that are durable.
    private(set) var sent = 0
    private(set) var brokenCount = 0
    /// The first thousand of them.
    private(set) var broken: [BrokenRow] = []

    var customers: Int { known.count }
    /// Where to go on: the first row that is not known to be durable.
    private(set) var nextRow: Int

    init(connection: GatewayConnection, fromRow: Int) {
        self.connection = connection
        self.fromRow = fromRow
        nextRow = fromRow
    }

    mutating func take(_ read: [PurchaseReader.Element]) async throws {
        for element in read {
            switch element {
            case .failure(let row): if row.row >= fromRow { note(row) }
            case .success(let purchase) where purchase.row < fromRow: continue
            case .success(let purchase):
                gathered.append(purchase)
                if gathered.count == 1000 { try await finish() }
            }
        }
    }

    /// Sends what is gathered.
    mutating func finish() async throws {
        guard let last = gathered.last else { return }
        var batch = SegmentBatch()
        for purchase in gathered {
            if known.insert(purchase.customerID).inserted { batch.identify(purchase) }
            batch.orderCompleted(purchase)
        }
        let rejections = try await connection.send(batch.body())
        sent += gathered.count
        for rejection in rejections where batch.events.indices.contains(rejection.index) {
            let event = batch.events[rejection.index]
            switch event.kind {
            case .order: sent -= 1
            case .identify: known.remove(event.customerID)
            }
            note(BrokenRow(row: event.row, reason: rejection.reason))
        }
        nextRow = last.row + 1
        gathered.removeAll(keepingCapacity: true)
    }

    private mutating func note(_ row: BrokenRow) {
        brokenCount += 1
        if broken.count < 1000 { broken.append(row) }
    }
}
