/// The rules of a run: their delays are seconds, so that reminders fire and are bought after while faults happen.
enum ChaosRules {
    /// The longest of the delays below, in seconds, with some to spare: after it no timer is left.
    static let quietSeconds = 25

    static let text = """
        installation:
          currency: USD
          time_zone: UTC
          fulfilled: on_placed
        templates:
          - name: letter
            from: "Shop <news@shop.example>"
            subject: 'News for {{ customer.id }}'
            text: |
              We have news.
        rules:
          - name: review
            title: Review
            mechanic: review_request
            after: 5s
            action: { email: letter }
            conversion: { window: 2m }
          - name: back
            title: Come back
            mechanic: time_since_last_purchase
            after: 20s
            action: { email: letter }
            conversion: { window: 2m }
          - name: refill
            title: Refill
            mechanic: regular_consumption
            period: 15s
            ahead: 2s
            action: record
            conversion: { window: 1m }

        """
}
