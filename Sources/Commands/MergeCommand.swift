import ArgumentParser
import Foundation
import Training

/// `merge`: a model with an adapter's products added to its matrices.
struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Add an adapter (LoRA) to its model, for good.",
    discussion: """
      Example:  lyceum merge smollm2.gguf runs/manners --out merged
      The adapter is the folder of a run of `lyceum sft --lora`, or one that PEFT wrote. What is written
      is a model folder (float32) that transformers opens too.
      """)

  @Argument(help: "The model that the adapter was trained for: a GGUF file or a folder.") var model:
    String
  @Argument(help: "The adapter: a folder with adapter_config.json, or a run.") var adapter: String
  @Option(help: "Folder for the model.") var out: String
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    var model: String
    var parameters: Int
  }

  func run() throws {
    compute.apply()
    let folder = try emptyFolder(out)
    let loaded = try LoadedModel.load(place(model), adding: Adapter(place(adapter)))
    try loaded.checkSaving()
    try loaded.save(to: folder)
    if compute.json {
      return try JSONLine.print(
        Result(model: out, parameters: loaded.model.config.parameterCount))
    }
    print("Talk to it:  lyceum chat \(out)")
  }
}

/// A folder for a new model. One that holds something is refused.
func emptyFolder(_ path: String) throws -> URL {
  let found = try? FileManager.default.contentsOfDirectory(atPath: place(path).path)
  guard found?.isEmpty ?? !FileManager.default.fileExists(atPath: place(path).path) else {
    throw TrainingError("\(path) is not empty: choose another place with --out")
  }
  return place(path)
}
