import SIMDMath

// Products of bytes, thirty-two at a time. LLVM finds no instruction for them in plain code, so they
// are asked for by name through the compiler's own module; other machines take the plain code.

#if NativeCPU && arch(x86_64)
import Builtin
#endif

/// Eight registers' worth of four bytes each.
typealias Words8 = SIMD8<Int32>
typealias Shorts16 = SIMD16<Int16>

/// a₂ᵢ·b₂ᵢ + a₂ᵢ₊₁·b₂ᵢ₊₁ for unsigned bytes a and signed bytes b. No sum may leave 16 bits.
@inline(__always)
func pairProducts(_ a: Words8, _ b: Words8) -> Shorts16 {
  #if NativeCPU && arch(x86_64)
  unsafeBitCast(
    Builtin.int_x86_avx2_pmadd_ub_sw(
      unsafeBitCast(a, to: Builtin.Vec32xInt8.self), unsafeBitCast(b, to: Builtin.Vec32xInt8.self)),
    to: Shorts16.self)
  #else
  // Each word holds two pairs: bytes 0 and 1, bytes 2 and 3.
  let byte = Words8(repeating: 255)
  func product(_ place: Int32) -> Words8 {
    let left = (a &>> Words8(repeating: 8 * place)) & byte
    return left &* ((b &<< Words8(repeating: 24 - 8 * place)) &>> Words8(repeating: 24))
  }
  let low = (product(0) &+ product(1)) & Words8(repeating: 0xFFFF)
  return unsafeBitCast(
    low | ((product(2) &+ product(3)) &<< Words8(repeating: 16)), to: Shorts16.self)
  #endif
}

/// s₂ᵢ + s₂ᵢ₊₁.
@inline(__always)
func pairSums(_ s: Shorts16) -> Words8 {
  #if NativeCPU && arch(x86_64)
  unsafeBitCast(
    Builtin.int_x86_avx2_pmadd_wd(
      unsafeBitCast(s, to: Builtin.Vec16xInt16.self),
      unsafeBitCast(Shorts16(repeating: 1), to: Builtin.Vec16xInt16.self)), to: Words8.self)
  #else
  let words = unsafeBitCast(s, to: Words8.self)
  return ((words &<< Words8(repeating: 16)) &>> Words8(repeating: 16))
    &+ (words &>> Words8(repeating: 16))
  #endif
}

/// Bytes of a with the sign of those of b: −a, 0 or a. signed(b, b) is |b|.
@inline(__always)
func signed(_ a: Words8, _ b: Words8) -> Words8 {
  #if NativeCPU && arch(x86_64)
  unsafeBitCast(
    Builtin.int_x86_avx2_psign_b(
      unsafeBitCast(a, to: Builtin.Vec32xInt8.self), unsafeBitCast(b, to: Builtin.Vec32xInt8.self)),
    to: Words8.self)
  #else
  var out = Words8()
  for place: Int32 in 0..<4 {
    let up = Words8(repeating: 24 - 8 * place)
    let (x, y) = (a &<< up, b &<< up)
    let value = x.replacing(with: Words8() &- x, where: y .< Words8())
      .replacing(with: Words8(), where: y .== Words8())
    out |=
      ((value &>> Words8(repeating: 24)) & Words8(repeating: 255)) &<< Words8(repeating: 8 * place)
  }
  return out
  #endif
}

/// Eight integers as Floats. The standard library's conversion is generic, and may become a call.
@inline(__always)
func floats(_ words: Words8) -> Float8 {
  #if NativeCPU && arch(x86_64)
  unsafeBitCast(
    Builtin.sitofp_Vec8xInt32_Vec8xFPIEEE32(unsafeBitCast(words, to: Builtin.Vec8xInt32.self)),
    to: Float8.self)
  #else
  Float8(words)
  #endif
}

/// Eight halves as Floats.
@inline(__always)
func loadHalves(_ p: UnsafeRawPointer) -> Float8 {
  #if NativeCPU && arch(x86_64)
  return unsafeBitCast(
    Builtin.fpext_Vec8xFPIEEE16_Vec8xFPIEEE32(
      unsafeBitCast(
        p.loadUnaligned(as: SIMD8<UInt16>.self), to: Builtin.Vec8xFPIEEE16.self)),
    to: Float8.self)
  #elseif arch(arm64)
  return Float8(p.loadUnaligned(as: SIMD8<Float16>.self))
  #else
  let bits = SIMD8<UInt32>(truncatingIfNeeded: p.loadUnaligned(as: SIMD8<UInt16>.self))
  let size = (bits & SIMD8(repeating: 0x7FFF)) &<< SIMD8(repeating: 13)
  let scaled = unsafeBitCast(size, to: Float8.self) * Float8(repeating: 0x1p112)
  let isSpecial = (bits & SIMD8(repeating: 0x7C00)) .== SIMD8(repeating: 0x7C00)
  var out = unsafeBitCast(scaled, to: SIMD8<UInt32>.self)
  out.replace(with: size | SIMD8(repeating: 0x7F80_0000), where: isSpecial)
  out |= (bits & SIMD8(repeating: 0x8000)) &<< SIMD8(repeating: 16)
  return unsafeBitCast(out, to: Float8.self)
  #endif
}

/// Eight bfloat16s as Floats.
@inline(__always)
func loadBrains(_ p: UnsafeRawPointer) -> Float8 {
  let shorts = p.loadUnaligned(as: SIMD8<UInt16>.self)
  #if NativeCPU && arch(x86_64)
  let bits = unsafeBitCast(
    Builtin.zext_Vec8xInt16_Vec8xInt32(unsafeBitCast(shorts, to: Builtin.Vec8xInt16.self)),
    to: Words8.self)
  #else
  let bits = Words8(truncatingIfNeeded: shorts)
  #endif
  return unsafeBitCast(bits &<< Words8(repeating: 16), to: Float8.self)
}

@inline(__always)
func loadWords(_ p: UnsafeRawPointer) -> Words8 { p.loadUnaligned(as: Words8.self) }

/// The four bytes at `p`, eight times.
@inline(__always)
func repeatWord(_ p: UnsafeRawPointer) -> Words8 {
  Words8(repeating: p.loadUnaligned(as: Int32.self))
}
