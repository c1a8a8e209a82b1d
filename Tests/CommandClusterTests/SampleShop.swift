import Foundation

/// A small made-up shop whose story is the same each time: rules, and orders over some weeks.
enum SampleShop {
    static let rules = """
        installation:
          currency: USD
          time_zone: UTC
          fulfilled: on_placed
        templates:
          - name: letter
            from: "Shop <news@shop.example>"
            subject: 'Hello {{ customer.first_name | default: "you" }}'
            text: |
              We have news.
        rules:
          - name: review
            title: Review
            mechanic: review_request
            after: 2d
            action: { email: letter }
            conversion: { window: 6d }
          - name: back
            title: Come back
            mechanic: time_since_last_purchase
            after: 9d
            action: { email: letter }
            conversion: { window: 20d }

        """

    /// Orders of January to `days` days later; a customer buys every few days, each in a rhythm of its own.
    static func orders(customers: Int, days: Int) -> String {
        var rows = ["order_id,customer_id,email,first_name,date,product,quantity,total"]
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? .current
        for day in 0..<days {
            let date = Date(timeIntervalSince1970: 1_704_067_200 + Double(day) * 86_400)
            let parts = calendar.dateComponents([.year, .month, .day], from: date)
            let text = String(format: "%04d-%02d-%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
            for customer in 0..<customers where (day + customer) % (3 + customer % 9) == 0 {
                let cents = 100 + (day * 37 + customer * 61) % 5000
                rows.append(
                    "o\(day)-\(customer),c\(customer),c\(customer)@example.com,C\(customer),\(text),p\(customer % 5),1,"
                        + String(format: "%d.%02d", cents / 100, cents % 100))
            }
        }
        return rows.joined(separator: "\n") + "\n"
    }
}
