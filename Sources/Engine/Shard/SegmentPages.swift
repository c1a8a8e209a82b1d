package import Model

// Reading only: who is in a segment, by pages of bounded size and work.

extension Shard {
    /// A page of a segment's members, by customer's slot: from behind the slot `after`, until the page has its size or its
    /// number, or enough customers were looked through.
    package func members(_ request: SegmentMembersRequest) -> SegmentMembers {
        guard rules.set.revision >= request.revision, sweepFrom == nil else { return SegmentMembers(isBroughtUp: false) }
        // The customer's actor shares this shard's executor, which `assumeIsolated` checks: no other thread is in either.
        nonisolated(unsafe) let shard = self
        return customer.assumeIsolated { unsafe shard.members(request, $0) }
    }

    private func members(_ request: SegmentMembersRequest, _ customer: isolated CustomerActor) -> SegmentMembers {
        let first = request.after.map { Int($0) + 1 } ?? 0
        let end = min(first + Limits.memberPageCustomersMax, table.count)
        var page = SegmentMembers(isBroughtUp: true)
        guard first < end else { return page }
        var bytes = 0
        for slot in UInt32(first)..<UInt32(end) {
            customer.activate(slot, in: table)
            let profile = customer.profile
            guard profile.isCustomer, profile.members.contains(where: { $0.segment == request.segment }) else { continue }
            let member = SegmentMembers.Member(
                customer: customer.key.text, email: profile.trait("email"), phone: profile.trait("phone"),
                firstName: profile.trait("first_name"), isReachable: profile.habits.isReachable)
            page.members.append(member)
            bytes += member.bytesMax
            if bytes >= Limits.openPageBytesTarget || page.members.count >= request.limit {
                page.next = Int(slot) + 1 < table.count ? slot : nil
                return page
            }
        }
        page.next = end < table.count ? UInt32(end - 1) : nil
        return page
    }
}
