import Model

/// Exponential decay in integers: the same on every machine, and never rising with age.
enum Decay {
    /// 1 in the fixed point of ``share(ofAge:)``.
    static let oneBits = 32

    /// 2^(-i/64), 32 bits behind the point, rounded. Between them it is a straight line.
    private static let table: [Int64] = [
        4_294_967_296, 4_248_701_965, 4_202_935_003, 4_157_661_043, 4_112_874_773, 4_068_570_940, 4_024_744_348, 3_981_389_855,
        3_938_502_376, 3_896_076_880, 3_854_108_391, 3_812_591_987, 3_771_522_796, 3_730_896_002, 3_690_706_840, 3_650_950_594,
        3_611_622_603, 3_572_718_252, 3_534_232_978, 3_496_162_267, 3_458_501_653, 3_421_246_719, 3_384_393_094, 3_347_936_457,
        3_311_872_529, 3_276_197_082, 3_240_905_930, 3_205_994_934, 3_171_459_999, 3_137_297_074, 3_103_502_151, 3_070_071_267,
        3_037_000_500, 3_004_285_971, 2_971_923_842, 2_939_910_317, 2_908_241_642, 2_876_914_102, 2_845_924_021, 2_815_267_765,
        2_784_941_738, 2_754_942_382, 2_725_266_179, 2_695_909_648, 2_666_869_345, 2_638_141_863, 2_609_723_834, 2_581_611_923,
        2_553_802_834, 2_526_293_303, 2_499_080_105, 2_472_160_047, 2_445_529_972, 2_419_186_755, 2_393_127_307, 2_367_348_571,
        2_341_847_524, 2_316_621_173, 2_291_666_561, 2_266_980_759, 2_242_560_872, 2_218_404_036, 2_194_507_417, 2_170_868_212,
        2_147_483_648,
    ]

    /// What is left of 1 after so many milliseconds (0 or more), with ``Interest/halfLifeMilliseconds``; 32 bits behind
    /// the point.
    static func share(ofAge milliseconds: Int64) -> Int64 {
        let (halvings, rest) = milliseconds.quotientAndRemainder(dividingBy: Interest.halfLifeMilliseconds)
        guard halvings < 40 else { return 0 }
        let (place, part) = (rest * 64).quotientAndRemainder(dividingBy: Interest.halfLifeMilliseconds)
        let (from, to) = (table[Int(place)], table[Int(place) + 1])
        // part < 2^32 and from - to < 2^26: no overflow.
        let value = from - (from - to) * part / Interest.halfLifeMilliseconds
        return value >> halvings
    }
}
