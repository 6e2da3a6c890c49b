import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A regular file whose bytes are mapped into memory for reading: pages come from the disk when they
/// are first touched, and no second copy exists.
///
/// A file that another process shortens while it is mapped ends this process (SIGBUS), as it does with
/// every reader that maps; ``moveIntoPlace(_:_:)`` replaces files without that.
public final class MappedFile: @unchecked Sendable {
  public let url: URL
  /// Valid as long as this object lives.
  public let bytes: UnsafeRawBufferPointer

  public init(_ url: URL) throws {
    self.url = url
    let file = open(url.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw failure("read", url) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure("read", url) }
    guard status.st_mode & S_IFMT == S_IFREG, let count = Int(exactly: status.st_size) else {
      throw ModelFileError("cannot read \(url.path): it is not a regular file")
    }
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, file, 0), base != MAP_FAILED else {
      throw failure("map", url)
    }
    bytes = UnsafeRawBufferPointer(start: base, count: count)
  }

  deinit {
    if let base = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
    }
  }

  /// Says that `range` was used and will not be again soon: its pages may go.
  public func forget(_ range: Range<Int>) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let start = (range.lowerBound + page - 1) / page * page
    let end = range.upperBound / page * page
    guard let base = bytes.baseAddress, start < end, end <= bytes.count else { return }
    madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, Int32(MADV_DONTNEED))
  }
}
