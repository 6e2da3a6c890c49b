import Foundation
import Testing

@testable import Corpus

// Files made with zlib (levels 0 and 9), so that the tests need no compressor.
@Suite("Inflate")
struct InflateTests {
  private func unpack(_ base64: String) throws -> String {
    let data = try #require(Data(base64Encoded: base64))
    return String(decoding: try inflateGzip(Array(data)), as: UTF8.self)
  }

  static let stored = "H4sIAAAAAAAAAwEMAPP/c3RvcmVkIGJsb2NrlKMkPQwAAAA="
  static let fixed = "H4sIAAAAAAAAA0tMxA4AhHoC5hgAAAA="
  static let dynamic = [
    "H4sIAAAAAAAAA+3cPbIcuw2A0dyr0BKaAH+ABcllV72yEwVevsvxPTswUkbCnWnyqKf7++uf//r96/v1",
    "77//+vOP37/+/P7Pn7/99b+l93Np7Z9rsbBWP9fy/FzbgbX+uXbuz7Wb+CdrDMxRmKMxR2OO9WGQtUKL",
    "GGUFZlmZ+mN/WtTHcjDPukuLmuhpotJEpYkaE8WX+qp8WsREEfqmpb5qiYliY6I4oUVMFFcTPU1Umqg0",
    "UWOi/JYWdfUsTJQRWsREmZgod+oy/bSIifJqoqeJniYqTdSaqDHR/jDRXqlN5tMiJtqJifZeWsRE+2iL",
    "u9rjriZ6mqg0UWuixkTnw0RnLS1iohOY6GRoUdv2xkTnpDb4T4ua6Gmi0kSliRoT3S+0iInu0kkUqePp",
    "0yImuhsT3bO0iInu1URPEz1NVJqoebjqdP0w0ZMTnqDwJIUnKjxZ4QkLT1p45IK9oIkkhicyPJmhZIaS",
    "GUpmKJmhZIaSGUpmKJmhZIaSGUpmKJmhZIaSGVpmaJmhZYaWGVpmaJmhZYaWGVpmaJmhZYaWGVpmaJlB",
    "n5BIKFSJJTrYdTTqcNH2rA1OW4QuMn1N9UHrTyWpi9oiwhIRloiwRIQlIqzNj0XUFhGWiLBEhCUiLBFh",
    "iQjx8T91oraIECJCiAghIoSIECJCiAghIoSIEMX/p2oiESFFhBQRUkRIESFFhBQRUkRIESFFhBQRUkRI",
    "ESFFhBQRtoiwRYQtImwRYYsIm3cTeDtBRNgiwhYRtoiwRYQtImwRYYsIR0Q4IsIREY6IcESEIyIcEeGI",
    "CEdEOCLCERGOiHBEhCMiXBHhighXRLgiwhURrohwRYQrIlwR4YoIV0S4IsIVEa6I8HRb4em2wpMTnqDw",
    "JIUnKjxZ4QkLT1p45AK9IDA8ieGJDE9mKJmhZIaSGUpmKJmhZIbaJJCoLTOUzFAyQ8kMJTOUzNAfb6CK",
    "2jJDywwtM7TM0DJDywwtM7TM0DJDF+8JayKZQfMIeqKSsKHjWgeejgxtutq2dOHr0tGXTx+fVC6ZyghL",
    "RlgywpIRloywZIQlIywZYckIS0ZYMsKSEZaMsGSEkBFCRggZIYJfNVlbRggZIWSEkBFCRggZIWSEkBFC",
    "RkgZIWWElBFSRkgZIWWElBFSRsjD/3trIhkhZYSUEVJG2DLClhH24i93sraMsHk7QUbYMsKWEbaMsGWE",
    "LSNsGWE3f4yUTGWEIyMcGeHICEdGODLCkRGOjHBkhCMjHBnhyAhHRjgywpURroxwZYQrI1wZ4coIV0a4",
    "MsKVEa6McGWEKyNcGeHKCE/3FZ7uKzxB4UkKT1R4ssITFp608MSFRy8QDBLDExmezFAyQ8kMJTOUzFAy",
    "Q8kMJTOUzFAyQ8kMJTMUn1WQGUpmKJmhZYaWGVpm6CDrZG2ZoWWGlhlaZmiZoWWGlhlaZmiaQSQV6sQi",
    "wUJHsw43HQ/aYLVF6SLXZaIvmj4q/Q1EUyFhCQlLSFhCwhISlpCwhIQlJCwhYQkJS0hYQsISEpaQEEJC",
    "CAkhJISQEEJCCAkhJISQEEJCCAkhJISQEEJCCAn58erR5SMkpJCQQkIKCSkkpJCQQkIKCSkkZHFD0ERC",
    "whYStpCwhYQtJGwhYfuGgrAtJGwhYQsJW0jYQsIWEnbz50jRVEg4QsIREo6QcISEIyQcPswoJBwh4Tz+",
    "wqqJhIQjJBwh4QoJV0i4QsINPp8pbAsJV0i4QsIVEq6QcIWEKyRcIeEKCU83Fp6c8ASFJyk8UeHJCk9Y",
    "eNLCExcevSAwPInhiQxPZiiZoWSGkhlKZiiZoWSGkhlKZiiZoWSGkhmKTyvIDCUzlMzQMkPLDC0ztMzQ",
    "MkPLDC0ztMzQMkPLDC0ztMzQMkPLDFKdUEcByRA6hXWO6STQXqrdSNezrgh9p/SpiOWiqZCwhIQlJCwh",
    "YSXfDNDHIiQsIWEJCUtIWELCEhKWkBBCQggJwZcd+LaDkBBCQggJISSEkBBCQggJISSEkBBCQggJKSSk",
    "kJBCQgoJKSSkkJBCQgoJKSSkkJBCQgoJKSSkkLCFhC0kbCFhCwlbSNi8oSAkbCFhH+5xmkhI2ELCFhK2",
    "kHCEhCMknMV7JMK2kHCEhMOnGfk4o5BwhIQjJBwh4QgJp3nbRzQVEq6QcIWEKyRcIeEKCXfzZ2NhW0i4",
    "QsIVEq6QcIWEKyS8jw+dCtuCwpMUnqjwZIUnLDxp4YkLj14QGF7xOVpNJDOUzFAyQ8kMJTOUzFDJt/BE",
    "IJmhZIaSGUpmKD6vIDOUzNAyQ8sMLTO0zNAyQ8sMLTO0zNAyQ8sMLTO0zNB8VZLvSvKpRkFTVBN2xAUd",
    "uDqytOlr29TGo0tXX359ffQBiOXCNn9xEBKWkLCEhCUkLCFhCQnr8IElTSQkLCFhCQlLSAghIYSE8OsO",
    "wraQEEJCCAkhJISQEEJCCAkhJISQEM03OERTISGFhBQSUkhIISGFhNx8/1vYFhJSSEghIYWEFBKSdxKE",
    "hC0kbCFhCwlbSNi8oSAkbCFhCwlbSNhCwhYStpCwhYQjJBwh4QgJR0g4QsJJbtvCNh9oFBKOkHCEhCMk",
    "HCHhNG/7iKZCwhUSrpBwhYQrJFwh4QoJly0FIeE+3snSRELCFRKukPB0Y+HJCU9QeMFfwoVtWeEJC09a",
    "eOLCoxcEhicxPJHhyQwlM5TMUDJDyQwlM5TMUDJDyQx1+HCwJuLjCnxeQWYomaFlhpYZevHVQmFbZmiZ",
    "oWWGlhlaZmiZoWWGlhmaL0v6bUntDOKjACbCCAE6RnUQaSvXZqjtRBekvtL6UujPKqvzBwdhW0hYQsIS",
    "EpaQsISEJSQsIWEJCUtIWMXfUDQR33UQEkJICL7wICSEkBDJZ7CEbSEhhIQQEkJICCEhhIRovsMhmgoJ",
    "KSSkkJCMLQkJKSSkkJBCQgoJ+fhaiiYSElJISCFhCwlbSNhCwg6+1C5s84aCkLCFhC0kbCFhCwlbSNhC",
    "whYSjpBwhIQjJBwh4QgJR0g4fJ6RDzQeVr40kZBwhIQjJBwh4QoJV0i4iyeRjiIh4QoJV0i4QsJlTUFI",
    "uELCFRKukHCbh6tOV91YeHLCExSepPBEhScrvM2bc8K2uPDoBYHhSQxPZHgyQ338cV/YlhlKZiiZoWSG",
    "khlKZiiZoWSG4uMKfl5BE8kMLTO0zNAyQ8sMLTN08nlnYVtmaJmhZYaWGVpmaL4uKTNMmXHKjFNmnDLj",
    "lBmnzDhlxikzTplxyoxTZpwy45QZp8w4ZcYpM06ZccqMU2acMuOUGafMOGXGKTNOmXHKjFNmnDLjlBmn",
    "zDhlxikzTplxyoxTZpwy45QZp8w4ZcYpM06ZccqMU2acMuOUGafMOGXGKTNOmXHKjFNmnDLjlBmnzDhl",
    "xikzTplxyoxTZpwy45QZp8w4ZcYpM06ZccqMU2acMuOUGafMOGXGKTNOmXHKjFNmnDLjlBmnzDhlxikz",
    "TplxyoxTZpwy45QZp8w4ZcYpM06ZccqMU2acMuOUGafMOGXGKTNOmXHKjFNmnDLjlBmnzDhlxikzTplx",
    "yoxTZpwy45QZp8w4ZcYpM06ZccqMU2acMuOUGafMOGXGKTNOmXHKjFNmnDLjlBmnzDhlxikzTplxyoxT",
    "Zpwy45QZp8w4ZcYpM06ZccqMU2acMuOUGafMOGXGKTNOmXHKjFNmnDLjlBmnzDhlxikzTplxyoxTZpwy",
    "45QZp8w4ZcYpM06Z8f+pzPhfo7VI3M30AAA=",
  ].joined()

  @Test("stored, fixed and dynamic blocks")
  func blocks() throws {
    #expect(try unpack(Self.stored) == "stored block")
    #expect(try unpack(Self.fixed) == "aaaaaaaaaaaaaaaaaaaaaaaa")
    let text = (0..<3_000).map { "line \($0 * 7 % 1_000) of the text" }.joined(separator: "\n")
    #expect(try unpack(Self.dynamic) == text)
  }

  @Test("members follow one another")
  func members() throws {
    let one = try #require(Data(base64Encoded: Self.fixed))
    #expect(try inflateGzip(Array(one + one)).count == 48)
  }

  @Test("a file that is cut anywhere, or has any bit flipped, is refused or gives the same bytes")
  func damage() throws {
    let whole = Array(try #require(Data(base64Encoded: Self.dynamic)))
    let good = try inflateGzip(whole)
    for length in stride(from: 0, to: whole.count, by: 97) {
      #expect(throws: CorpusError.self) { try inflateGzip(Array(whole[..<length])) }
    }
    for place in stride(from: 0, to: whole.count, by: 13) {
      var bytes = whole
      bytes[place] ^= 1 << UInt8(place % 8)
      // Header bytes such as the time change nothing.
      if let out = try? inflateGzip(bytes) { #expect(out == good) }
    }
  }

  @Test("what unpacks to more than the limit is refused")
  func bomb() throws {
    let whole = Array(try #require(Data(base64Encoded: Self.dynamic)))
    #expect(throws: CorpusError.self) { try inflateGzip(whole, limit: 1_000) }
  }
}
