/// What is wrong with data, in a sentence.
public struct CorpusError: Error, CustomStringConvertible, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
