/// How often a character occurs in a text, upper and lower case alike: "r strawberry" gives 3.
public struct LetterCounter: Tool {
  public let name = "count"
  public static let characterLimit = 10_000

  public init() {}

  public func call(_ argument: String) throws -> String {
    let parts = argument.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].count == 1 else {
      throw ToolError("give one character, a space and the text to count it in")
    }
    guard argument.utf8.count <= Self.characterLimit else {
      throw ToolError("the text is longer than \(Self.characterLimit) bytes")
    }
    let wanted = parts[0].lowercased()
    return String(parts[1].count { $0.lowercased() == wanted })
  }
}
