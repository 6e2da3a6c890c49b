import Foundation
import ModelFiles
import Testing

@Suite struct ShardedWeightsTests {
  private func folder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("lyceum-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, file) in [("a", "one"), ("b", "two")] {
      try [Float(1), 2].withUnsafeBufferPointer {
        try writeSafetensors(
          [(name, [2], $0)], metadata: [:], to: folder.appendingPathComponent("\(file).safetensors")
        )
      }
    }
    return folder
  }

  @Test func `tensors come from the files that the index names`() throws {
    let folder = try folder()
    let index = folder.appendingPathComponent("model.safetensors.index.json")
    #expect(throws: ModelFileError.self) { try ShardedWeights(folder: folder) }
    try Data(#"{"metadata":{},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}"#.utf8)
      .write(to: index)
    let weights = try ShardedWeights(folder: folder)
    #expect(try weights.shape("b") == [2] && weights.floats("a") == [1, 2])
    #expect(try weights.floats("c") == nil)
    for wrong in [
      #"{"weight_map":{"c":"one.safetensors"}}"#, #"{"weight_map":{"a":"three.safetensors"}}"#,
      #"{"weight_map":{"a":"../one.safetensors"}}"#, #"{"weight_map":{"a":3}}"#, "{}", "[", "",
      #"{"weight_map":{"a":"one.safetensors","a":"two.safetensors"}}"#,
    ] {
      try Data(wrong.utf8).write(to: index)
      #expect(throws: ModelFileError.self, "\(wrong)") { try ShardedWeights(folder: folder) }
    }
  }
}
