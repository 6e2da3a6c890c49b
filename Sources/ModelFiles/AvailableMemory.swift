import Foundation

/// Bytes that this process may still take: the system's free memory, or what the limit of its group
/// leaves. Nil where neither is known.
public func availableMemory() -> Int? {
  var free: Int?
  for line in text("/proc/meminfo").split(separator: "\n") where line.hasPrefix("MemAvailable:") {
    free = line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
  }
  let group = "/sys/fs/cgroup/memory."
  if let limit = number(group + "max"), let used = number(group + "current") {
    free = min(free ?? .max, max(0, limit - used))
  }
  return free
}

private func text(_ path: String) -> String {
  (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
}

private func number(_ path: String) -> Int? {
  Int(text(path).trimmingCharacters(in: .whitespacesAndNewlines))
}
