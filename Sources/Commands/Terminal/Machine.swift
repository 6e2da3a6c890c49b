import Claims
import Foundation

/// The computer that this runs on.
public enum Machine {
  /// `AMD EPYC 7B13, 2 cores, 25.2 GB, Linux 6.1`: what a speed must be read against.
  public static func describe() -> String {
    let cores = coreCount == 1 ? "1 core" : "\(coreCount) cores"
    return [processor, cores, Format.bytes(Double(memoryBytes)), system].joined(separator: ", ")
  }

  /// Logical processors that this process may use.
  public static var coreCount: Int { ProcessInfo.processInfo.activeProcessorCount }

  /// Bytes of memory that this process may use: the machine's, or its container's limit.
  public static var memoryBytes: Int {
    let physical = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    let limit = text("/sys/fs/cgroup/memory.max")
      .flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    return min(physical, limit ?? physical)
  }

  /// The most memory that this process has held at once, in bytes; 0 where nobody says.
  public static var peakResidentBytes: Int {
    #if os(Linux)
    // Not getrusage: on Linux its peak is inherited from the process that started this one.
    let kilobytes = text("/proc/self/status").flatMap { field("VmHWM", in: $0) }
      .flatMap { $0.split(separator: " ").first }.flatMap { Int($0) }
    return (kilobytes ?? 0) * 1_024
    #else
    var usage = rusage()
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0
    #endif
  }

  private static var processor: String {
    if let name = text("/proc/cpuinfo").flatMap({ field("model name", in: $0) }) { return name }
    var name = utsname()
    return uname(&name) == 0 ? string(&name.machine) : "unknown processor"
  }

  private static var system: String {
    var name = utsname()
    guard uname(&name) == 0 else { return "unknown system" }
    let release = string(&name.release).split(separator: ".").prefix(2).joined(separator: ".")
    return "\(string(&name.sysname)) \(release)"
  }

  /// The value after `key :` in a file of such lines, as the kernel writes them.
  static func field(_ key: String, in text: String) -> String? {
    for line in text.split(separator: "\n") where line.hasPrefix(key) {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == key else { continue }
      return parts[1].trimmingCharacters(in: .whitespaces)
    }
    return nil
  }

  static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

  /// The C string in a fixed-size field of `utsname`.
  private static func string<Field>(_ field: inout Field) -> String {
    withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
