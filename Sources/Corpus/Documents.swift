import Foundation
import Tokenization

/// A text to learn from.
public struct Document: Sendable, Equatable {
  public var text: String
  /// Where it stands: a file, with the line for JSONL.
  public var source: String

  public init(text: String, source: String) { (self.text, self.source) = (text, source) }
}

/// The documents of a file, or of all files in a folder in the order of their paths.
///
/// A `.jsonl` file holds one JSON object a line with `text`, or a conversation (see
/// ``readConversations(_:)``), which becomes its turns' texts. `.gz` is unpacked. Any other file is
/// one document of UTF-8; in a folder, files that are not text are passed over.
///
/// - Throws: ``CorpusError`` with a sentence that names the file, and the line or byte.
public func readDocuments(_ url: URL) throws -> [Document] {
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
    throw CorpusError("\(url.path) does not exist")
  }
  guard isFolder.boolValue else {
    do { return try documents(of: url) } catch let error as NotText {
      throw CorpusError(error.sentence)
    }
  }
  var found: [Document] = []
  for file in try files(in: url) {
    do {
      found += try documents(of: file)
    } catch is NotText {
      continue
    }
  }
  guard !found.isEmpty else {
    throw CorpusError("\(url.path) holds no text: .txt, .jsonl, .gz or other UTF-8 files")
  }
  return found
}

/// The conversations of a JSONL file: `messages`, a list of {role, content} with OpenAI's
/// `tool_calls` and `tool` messages, or `prompt` and `completion`.
public func readConversations(_ url: URL) throws -> [[Message]] {
  guard FileManager.default.fileExists(atPath: url.path) else {
    throw CorpusError("\(url.path) does not exist")
  }
  let conversations = try lines(of: url).map { line, place in
    guard let messages = line.conversation else {
      throw CorpusError(
        "\(place): a conversation needs \"messages\", or \"prompt\" and \"completion\"")
    }
    if let problem = messages.toolProblem { throw CorpusError("\(place): \(problem)") }
    return messages
  }
  guard conversations.contains(where: { $0.contains { $0.role == .assistant } }) else {
    throw CorpusError("\(url.path) holds no assistant turn: there is nothing to imitate")
  }
  return conversations
}

/// Deals documents to training and validation by a hash of their text, before anything else: equal
/// documents fall on the same side, and adding others moves none.
///
/// - Parameter share: of validation. Training always gets at least one document.
public func splitDocuments(_ documents: [Document], validationShare share: Double)
  -> (training: [Document], validation: [Document])
{
  let limit = UInt64(share * 1_000_000)
  var (training, validation): ([Document], [Document]) = ([], [])
  for document in documents {
    if contentHash(document.text) % 1_000_000 < limit {
      validation.append(document)
    } else {
      training.append(document)
    }
  }
  return training.isEmpty ? (validation, []) : (training, validation)
}

/// FNV-1a with SplitMix64's last step: stable over machines and versions.
func contentHash(_ text: String) -> UInt64 {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
  hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
  hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
  return hash ^ (hash >> 31)
}

// MARK: Files

/// A file that is no text; in a folder it is passed over.
private struct NotText: Error {
  let sentence: String
}

private func files(in folder: URL) throws -> [URL] {
  guard let names = FileManager.default.enumerator(atPath: folder.path) else {
    throw CorpusError("\(folder.path) cannot be read")
  }
  let paths = names.compactMap { $0 as? String }.filter { path in
    !path.split(separator: "/").contains { $0.hasPrefix(".") }
  }
  return paths.sorted().map { folder.appendingPathComponent($0) }.filter {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: $0.path, isDirectory: &isFolder)
      && !isFolder.boolValue
  }
}

private func documents(of file: URL) throws -> [Document] {
  if stem(file).hasSuffix(".jsonl") {
    return try lines(of: file).map { line, place in
      guard let text = line.document else {
        throw CorpusError(
          "\(place): a document needs \"text\", \"messages\", or \"prompt\" and \"completion\"")
      }
      return Document(text: text, source: place)
    }
  }
  let text = try text(of: file)
  guard text.utf8.contains(where: { $0 > 0x20 }) else {
    throw NotText(sentence: "\(file.path) is empty: there is nothing to learn from")
  }
  return [Document(text: text, source: file.path)]
}

/// The name without `.gz`.
private func stem(_ file: URL) -> String {
  let name = file.lastPathComponent.lowercased()
  return name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
}

private func bytes(of file: URL) throws -> [UInt8] {
  let data: Data
  do {
    data = try Data(contentsOf: file)
  } catch {
    throw CorpusError("\(file.path) cannot be read: \(error.localizedDescription)")
  }
  guard file.pathExtension.lowercased() == "gz" else { return Array(data) }
  do {
    return try inflateGzip(Array(data))
  } catch let error as CorpusError {
    throw CorpusError("\(file.path): \(error.description)")
  }
}

private func text(of file: URL) throws -> String {
  let bytes = try bytes(of: file)
  guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
    let place = bytes.firstIndex(of: 0) ?? invalidUTF8(bytes)
    let what = bytes.contains(0) ? "a zero byte: it is not text" : "a byte that is not UTF-8"
    throw NotText(sentence: "\(file.path) holds \(what) (at byte \(place))")
  }
  return text
}

/// Where the first byte stands that no UTF-8 has there.
private func invalidUTF8(_ bytes: [UInt8]) -> Int {
  var parser = Unicode.UTF8.ForwardParser()
  var input = bytes.makeIterator()
  var place = 0
  while case .valid(let scalar) = parser.parseScalar(from: &input) { place += scalar.count }
  return place
}

/// An object of a JSONL file.
private struct Line: Decodable {
  var text: String?
  var messages: [Message]?
  var prompt: String?
  var completion: String?

  var conversation: [Message]? {
    if let messages, !messages.isEmpty { return messages }
    guard let prompt, let completion else { return nil }
    return [
      Message(role: .user, content: prompt), Message(role: .assistant, content: completion),
    ]
  }

  var document: String? { text ?? conversation?.map(\.content).joined(separator: "\n") }
}

private func lines(of file: URL) throws -> [(line: Line, place: String)] {
  let decoder = JSONDecoder()
  var found: [(Line, String)] = []
  let parts = try bytes(of: file).split(separator: 0x0A, omittingEmptySubsequences: false)
  for (number, part) in parts.enumerated() where part.contains(where: { $0 > 0x20 }) {
    let place = "\(file.path), line \(number + 1)"
    do {
      found.append((try decoder.decode(Line.self, from: Data(part)), place))
    } catch DecodingError.typeMismatch(_, let context), DecodingError.keyNotFound(_, let context),
      DecodingError.valueNotFound(_, let context)
    {
      let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
      throw CorpusError(
        "\(place): \(path.joined(separator: ".")) is not as it should be "
          + "(texts, and messages with a role and a content or tool_calls)")
    } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
      let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
      throw CorpusError(
        "\(place): \(path.joined(separator: ".")) must be \"system\", \"user\", \"assistant\" or "
          + "\"tool\"")
    } catch {
      throw CorpusError("\(place): this is not a JSON object")
    }
  }
  guard !found.isEmpty else { throw CorpusError("\(file.path) is empty") }
  return found
}
