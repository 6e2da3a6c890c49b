import Foundation

/// The weights of a model folder: `model.safetensors`, or the files that
/// `model.safetensors.index.json` names.
public struct ShardedWeights: Sendable {
  private let files: [SafetensorsFile]
  private let places: [ByteName: Int]

  public init(folder: URL) throws {
    let index = folder.appendingPathComponent("model.safetensors.index.json")
    let single = folder.appendingPathComponent("model.safetensors")
    if FileManager.default.fileExists(atPath: single.path) {
      let file = try SafetensorsFile(single)
      files = [file]
      places = Dictionary(file.names.map { (ByteName($0), 0) }) { first, _ in first }
      return
    }
    guard FileManager.default.fileExists(atPath: index.path) else {
      throw ModelFileError(
        "\(folder.path) has neither model.safetensors nor model.safetensors.index.json: weights in "
          + "another form (.bin, .pt) are not read")
    }
    let map = try Self.weightMap(index)
    var numbers: [String: Int] = [:]
    var files: [SafetensorsFile] = []
    var places: [ByteName: Int] = [:]
    for (tensor, name) in map {
      let number: Int
      if let known = numbers[name] {
        number = known
      } else {
        number = files.count
        files.append(try SafetensorsFile(folder.appendingPathComponent(name)))
        numbers[name] = number
      }
      guard files[number].shape(String(decoding: tensor.bytes, as: UTF8.self)) != nil else {
        throw ModelFileError(
          "\(index.path) says that \(name) holds \"\(tensor.shown)\", which it does not")
      }
      places[tensor] = number
    }
    (self.files, self.places) = (files, places)
  }

  /// Files by tensor. A name that leaves the folder is refused.
  private static func weightMap(_ index: URL) throws -> [(key: ByteName, value: String)] {
    func broken(_ what: String) -> ModelFileError {
      ModelFileError("\(index.path) is no index of weights: \(what)")
    }
    let file = try MappedFile(index)
    let members: [(key: ByteName, value: StrictJSON)]
    do {
      let root = try StrictJSON(file.bytes).members
      let map = root?.first { $0.key == ByteName("weight_map") }?.value.members
      guard let map else { throw broken("it lacks the object weight_map") }
      members = map
    } catch let problem as StrictJSONProblem {
      throw broken("it is not JSON: \(problem)")
    }
    return try members.map { key, value in
      guard let name = value.text, name.hasSuffix(".safetensors"), !name.contains("/"),
        !name.contains("\0"), !name.hasPrefix(".")
      else { throw broken("\"\(key.shown)\" is in no .safetensors file beside it") }
      return (key, name)
    }
  }

  public var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }

  public func shape(_ name: String) -> [Int]? { file(name)?.shape(name) }

  /// The values of a tensor; nil where there is none of that name.
  public func floats(_ name: String) throws -> [Float]? { try file(name)?.floats(name) }

  private func file(_ name: String) -> SafetensorsFile? {
    places[ByteName(name)].map { files[$0] }
  }
}
