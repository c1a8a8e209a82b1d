import Model
import Testing

@Suite struct HashingTests {
    /// The xxHash project's own test buffer: bytes from a multiplication, the top byte of each product.
    private static let buffer: [UInt8] = {
        var state: UInt64 = 2_654_435_761
        return (0..<4160).map { _ in
            defer { state = state &* 11_400_714_785_074_694_797 }
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }()

    /// Length and both hashes, computed by xxHash 0.8.4; a length of each of the algorithm's classes and its borders.
    private static let known: [(Int, UInt64, UInt128)] = [
        (0, 0x2D06_8005_38D3_94C2, 0x99AA_06D3_0147_98D8_6001_C324_468D_497F),
        (1, 0xC44B_DFF4_074E_ECDB, 0xA6CD_5E93_9200_0F6A_C44B_DFF4_074E_ECDB),
        (3, 0x5424_7382_A8D6_B94D, 0x20EF_C49F_F024_22EA_5424_7382_A8D6_B94D),
        (4, 0xE5DC_74BC_5184_8A51, 0x970D_585A_C632_BF8E_2E7D_8D68_76A3_9FE9),
        (6, 0x27B5_6A84_CD2D_7325, 0x082A_FE0B_8162_D12A_3E70_39BD_DA43_CFC6),
        (8, 0x24CC_C9AC_AA9F_65E4, 0x47A7_F080_D82B_B456_64C6_9CAB_4BB2_1DC5),
        (9, 0x14D5_001C_15DD_3F2B, 0x564E_F607_8950_D457_ED7C_CBC5_01EB_7501),
        (12, 0xA713_DAF0_DFBB_77E7, 0x6E3E_FD8F_C780_2B18_061A_1927_13F6_9AD9),
        (16, 0x981B_17D3_6C74_98C9, 0xC68C_368E_CF8A_9C05_5629_8025_8A99_8629),
        (17, 0x796F_5ACD_3A60_F862, 0x955F_A786_43ED_3669_ABBC_12D1_1973_D7DB),
        (24, 0xA3FE_70BF_9D35_10EB, 0x0CE9_66E4_678D_3761_1E70_44D2_8B1B_901D),
        (48, 0x397D_A259_ECBA_1F11, 0xA002_AC4E_5478_227E_F942_219A_ED80_F67B),
        (80, 0xBCDE_FBBB_2C47_C90A, 0xFDF2_CEFD_E9EA_AC8A_454A_E6BF_7A8A_532D),
        (128, 0xFCFF_2412_6754_D861, 0x3999_2220_E045_260A_EBB1_5E34_A7FB_5AB1),
        (129, 0x98F1_B0A6_79A2_CA29, 0x0381_5FC9_1F1B_30B6_86C9_E3BC_8F0A_3B5C),
        (195, 0xCD94_217E_E362_EC3A, 0x7729_543A_26B2_07EE_3FB5_93C0_86A6_6075),
        (240, 0x81C3_C2B6_7F56_8CCF, 0xAA42_02DA_A276_9DC8_5C9A_AE94_C8EB_E5A0),
        (241, 0xC5A6_39EC_D203_0E5E, 0x99A8_0ECF_0ECF_C647_C5A6_39EC_D203_0E5E),
        (403, 0xCDEB_804D_65C6_DEA4, 0x1B6D_E21E_332D_D73D_CDEB_804D_65C6_DEA4),
        (512, 0x617E_4959_9013_CB6B, 0x18D2_D110_DCC9_BCA1_617E_4959_9013_CB6B),
        (1024, 0xDD85_C9B5_C110_9C5C, 0x0D30_D240_71C6_4C57_DD85_C9B5_C110_9C5C),
        (1025, 0xD870_C0FA_1321_1C6A, 0xFD3E_E4FE_7F29_54C6_D870_C0FA_1321_1C6A),
        (2048, 0xDD59_E2C3_A5F0_38E0, 0xF736_557F_D470_73A5_DD59_E2C3_A5F0_38E0),
        (2240, 0x6E73_A905_39CF_2948, 0xCCB1_34FB_FA7C_E49D_6E73_A905_39CF_2948),
        (4160, 0x4F32_3B15_321E_94E1, 0x6714_0711_C1E3_E335_4F32_3B15_321E_94E1),
    ]

    @Test func `XXH3 gives xxHash's values at every class of length`() {
        for (length, hash64, hash128) in Self.known {
            let bytes = Array(Self.buffer[..<length])
            #expect(Hashing.hash64(bytes) == hash64, "\(length) bytes")
            #expect(Hashing.hash128(bytes) == hash128, "\(length) bytes")
            #expect(Hashing.hash64([1] + bytes + [2], in: 1..<length + 1) == hash64, "\(length) bytes within others")
        }
    }

    @Test func `texts are hashed as their UTF-8`() {
        #expect(Hashing.hash64("") == 0x2D06_8005_38D3_94C2)
        #expect(Hashing.hash64("a") == 0xE6C6_32B6_1E96_4E1F)
        #expect(Hashing.hash64("abc") == 0x78AF_5F94_892F_3950)
        #expect(Hashing.hash128("abc") == 0x06B0_5AB6_733A_6185_78AF_5F94_892F_3950)
        #expect(Hashing.hash64("u:é") == 0xAA5B_AD74_638C_5796)
    }
}

@Suite struct ShardMapTests {
    /// Where these customers are must never change: it would part them from their history.
    @Test func `customers stay in the shards in which they have always been`() throws {
        let expected: [(String, Int, Int, Int)] = [
            ("u:1", 7, 31, 671), ("u:2", 1, 25, 985), ("u:413", 2, 2, 258), ("a:abc", 4, 12, 460),
            ("email:ann@example.org", 1, 49, 753), ("u:é", 6, 22, 918),
        ]
        let maps = try [8, 64, 1024].map { try #require(ShardMap(shards: $0)) }
        for (key, of8, of64, of1024) in expected {
            #expect(maps.map { $0.shard(of: CustomerKey(key)) } == [of8, of64, of1024].map { ShardID(index: $0) }, "\(key)")
        }
        let single = try #require(ShardMap(shards: 1))
        #expect(expected.allSatisfy { single.shard(of: CustomerKey($0.0)) == ShardID(0) })
    }

    @Test func `customers spread over the shards`() throws {
        let map = try #require(ShardMap(shards: Limits.shardsDefault))
        var counts = [Int](repeating: 0, count: map.shards)
        for number in 0..<64_000 { counts[Int(map.shard(of: .user(String(number))).number)] += 1 }
        #expect(counts.allSatisfy { (850...1150).contains($0) })
        #expect(map.all.count == map.shards)
        #expect(map.all == map.all.sorted())
    }

    @Test(arguments: [-1, 0, 3, 63, 1025, 2048]) func `shards are a power of two within the limits`(shards: Int) {
        #expect(ShardMap(shards: shards) == nil)
    }

    @Test func `rule ids are the low half of their name's hash`() {
        #expect(RuleID(name: "reorder") == RuleID(1_413_472_961))
        #expect(RuleID(name: "lapsed") == RuleID(4_141_755_792))
        #expect(RuleID(name: "review") == RuleID(2_251_820_525))
    }

    @Test func `action ids are written with all their digits and read back`() {
        let action = ActionID(0xabc)
        #expect(action.description == "00000000000000000000000000000abc")
        #expect(ActionID(text: action.description) == action)
        #expect(ActionID(text: "abc") == nil)
        #expect(ActionID(text: String(repeating: "g", count: 32)) == nil)
    }

    @Test func `keys are ordered by their bytes`() {
        #expect(CustomerKey("a:z") < CustomerKey("u:a"))
        #expect(CustomerKey("u:10") < CustomerKey("u:9"))
        #expect(CustomerKey("u:z") < CustomerKey("u:é"))
        #expect(!(CustomerKey("u:1") < CustomerKey("u:1")))
    }
}

@Suite struct InstantTests {
    @Test func `sums and differences are in milliseconds`() {
        let instant = Instant(milliseconds: 1_704_067_200_000)
        #expect(instant + Milliseconds.day - instant == 86_400_000)
        #expect((instant + -1) < instant)
        #expect(Milliseconds.day == 24 * 60 * 60 * 1000)
    }

    @Test func `the ends lie outside of all times that are let in, with room for sums`() {
        #expect(Instant.distantPast < Limits.timeMin)
        #expect(Limits.timeMin < Limits.timeMax)
        #expect(Limits.timeMax < Instant.distantFuture)
        #expect(Limits.timeMax + 100 * 366 * Milliseconds.day < Instant.distantFuture)
    }
}
