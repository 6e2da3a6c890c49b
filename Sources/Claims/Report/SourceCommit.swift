import Foundation

/// The commit that a checkout is at.
public enum SourceCommit {
  /// The commit of the checkout that holds this program, else "unknown".
  public static var current: String {
    var folder = URL(fileURLWithPath: CommandLine.arguments.first ?? ".").standardizedFileURL
    for _ in 0..<8 {
      folder.deleteLastPathComponent()
      if let commit = of(checkout: folder) { return commit }
    }
    return "unknown"
  }

  /// Reads `.git` by hand: the tour needs no git.
  static func of(checkout: URL) -> String? {
    let git = checkout.appendingPathComponent(".git")
    guard let head = line(git.appendingPathComponent("HEAD")) else { return nil }
    guard head.hasPrefix("ref: ") else { return head }
    let name = String(head.dropFirst(5))
    if let commit = line(git.appendingPathComponent(name)) { return commit }
    let packed = try? String(contentsOf: git.appendingPathComponent("packed-refs"), encoding: .utf8)
    return packed?.split(separator: "\n").first { $0.hasSuffix(" " + name) }
      .map { String($0.prefix { $0 != " " }) }
  }

  private static func line(_ url: URL) -> String? {
    (try? String(contentsOf: url, encoding: .utf8))?
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
