import Synchronization
import TensorKernels

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Memory for Floats, taken from a pool and given back when the last reference goes.
///
/// A fresh array of 10 MB costs a page fault every 4 KiB; a pooled one costs nothing. Once a
/// training loop is warm, ``freshAllocations`` stands still.
public final class Buffer {
  /// The memory: uninitialised unless asked for zeros.
  public let values: MutableFloats
  private let sizeClass: Int

  public init(_ count: Int, zeroed: Bool = false) {
    precondition(count >= 0, "a buffer of \(count) values")
    sizeClass = Pool.sizeClass(max(1, count))
    values = MutableFloats(start: Pool.shared.take(sizeClass), count: count)
    if zeroed { values.update(repeating: 0) }
  }

  /// A copy of `source`.
  public convenience init(_ source: some Collection<Float>) {
    self.init(source.count)
    _ = values.update(from: source)
  }

  deinit {
    guard let base = values.baseAddress else { return }
    Pool.shared.give(base, sizeClass)
  }

  public var count: Int { values.count }
  /// The same memory, for reading.
  public var reading: Floats { Floats(values) }

  /// Gives memory that is in no use back to the system: after work that will not be repeated.
  public static func trim() { Pool.shared.trim() }

  /// How often the pool had to ask the system for memory since the process began.
  public static var freshAllocations: Int { Pool.shared.fresh.load(ordering: .relaxed) }
}

/// The system's `free`, whose name the pool takes.
private func release(_ address: UInt) { free(UnsafeMutableRawPointer(bitPattern: address)) }

/// Free memory by size class. A class is 8 steps to a power of two, so at most an eighth is unused.
private final class Pool: Sendable {
  static let shared = Pool()
  let fresh = Atomic<Int>(0)
  private let free = Mutex<[Int: [UInt]]>([:])

  static func sizeClass(_ count: Int) -> Int {
    let needed = max(64, count)
    let step = max(16, (1 << (Int.bitWidth - 1 - needed.leadingZeroBitCount)) / 8)
    return (needed + step - 1) / step * step
  }

  func take(_ sizeClass: Int) -> UnsafeMutablePointer<Float> {
    let found = free.withLock { $0[sizeClass]?.popLast() }
    if let found, let pointer = UnsafeMutablePointer<Float>(bitPattern: found) { return pointer }
    fresh.wrappingAdd(1, ordering: .relaxed)
    let size = sizeClass * MemoryLayout<Float>.stride
    // Large blocks start on a huge page, which spares the address cache.
    let huge = 2 << 20
    var memory: UnsafeMutableRawPointer?
    let status = posix_memalign(&memory, size >= huge ? huge : 64, size)
    guard status == 0, let memory else {
      preconditionFailure("out of memory: asked for \(size) bytes")
    }
    #if os(Linux)
    if size >= huge { madvise(memory, size, 14 /* MADV_HUGEPAGE */) }
    #endif
    return memory.bindMemory(to: Float.self, capacity: sizeClass)
  }

  func trim() {
    let unused = free.withLock { free in
      defer { free = [:] }
      return free.values.joined().map { $0 }
    }
    for address in unused { release(address) }
  }

  func give(_ pointer: UnsafeMutablePointer<Float>, _ sizeClass: Int) {
    free.withLock { $0[sizeClass, default: []].append(UInt(bitPattern: pointer)) }
  }
}
