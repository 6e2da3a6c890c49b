/// What is wrong with a file, in a sentence.
public struct ModelFileError: Error, CustomStringConvertible, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
