/// Floats that a kernel reads. The count is part of the contract: every kernel checks it against
/// its dimensions on entry, and then works on the base address.
public typealias Floats = UnsafeBufferPointer<Float>

/// Floats that a kernel writes.
public typealias MutableFloats = UnsafeMutableBufferPointer<Float>

/// Token ids or segment numbers.
public typealias Integers = UnsafeBufferPointer<Int32>

extension UnsafeBufferPointer {
  /// The address of the first element of a view that is not empty.
  @inlinable @inline(__always)
  package var base: UnsafePointer<Element> { baseAddress.unsafelyUnwrapped }
}

extension UnsafeMutableBufferPointer {
  /// The address of the first element of a view that is not empty.
  @inlinable @inline(__always)
  package var base: UnsafeMutablePointer<Element> { baseAddress.unsafelyUnwrapped }

  /// The same elements, for reading.
  @inlinable @inline(__always)
  package var reading: UnsafeBufferPointer<Element> { UnsafeBufferPointer(self) }
}
