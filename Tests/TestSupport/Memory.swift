import TensorKernels

/// Floats for a kernel: filled with NaN at first, so that a value that is not written is seen.
public final class Memory {
  public let values: MutableFloats

  public init(_ count: Int) {
    values = .allocate(capacity: count)
    values.initialize(repeating: .nan)
  }

  public init(_ source: [Float]) {
    values = .allocate(capacity: source.count)
    _ = values.initialize(from: source)
  }

  deinit { values.deallocate() }

  public var reading: Floats { Floats(values) }
  public var array: [Float] { Array(values) }
}

/// Token ids or positions for a kernel.
public final class IntegerMemory {
  public let values: UnsafeMutableBufferPointer<Int32>

  public init(_ source: [Int32]) {
    values = .allocate(capacity: source.count)
    _ = values.initialize(from: source)
  }

  deinit { values.deallocate() }

  public var reading: Integers { Integers(values) }
  public var array: [Int32] { Array(values) }
}

/// The same bits, NaN included.
public func sameBits(_ a: [Float], _ b: [Float]) -> Bool {
  a.map(\.bitPattern) == b.map(\.bitPattern)
}

/// Runs `body` at 1, 2 and 3 threads, and returns what each gave.
public func atThreads<Result>(_ body: () -> Result) -> [Result] {
  let before = kernelThreads
  defer { kernelThreads = before }
  return [1, 2, 3].map { threads in
    kernelThreads = threads
    return body()
  }
}
