/// A number that tells texts in an order from others: a run is not continued on other data.
public func fingerprint(of texts: some Sequence<String>) -> UInt64 {
  texts.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ contentHash($1)) &* 0x100_0000_01B3 }
}
