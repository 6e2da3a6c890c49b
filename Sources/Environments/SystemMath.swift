#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A draw of Gumbel's distribution from a uniform one in [0, 1).
func gumbel(_ uniform: Double) -> Double { -log(-log(max(uniform, 0x1p-53))) }
