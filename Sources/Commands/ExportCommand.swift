import ArgumentParser
import Foundation
import Training

/// `export`: a model for other programs.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a model for transformers or llama.cpp.",
    discussion: """
      Example:  lyceum export runs/tour --to gguf --out tour.gguf
      hf writes a model folder as transformers opens it, gguf a file as llama.cpp does, both in float32
      with the tokenizer and the chat template. `lyceum sft`'s runs are exported too, adapters with their
      model.
      """)

  /// What the model is written for.
  enum Form: String, ExpressibleByArgument, CaseIterable { case hf, gguf }

  @Argument(help: "A GGUF file, a model folder, or the folder of a run.") var model: String
  @Option(help: "hf or gguf.") var to: Form
  @Option(help: "The new folder, or the new file.") var out: String
  @OptionGroup var compute: ComputeOptions

  struct Result: Encodable {
    var out: String
    var bytes: Int
  }

  func run() throws {
    compute.apply()
    let target = try emptyFolder(out)
    let loaded = try LoadedModel.load(place(model))
    switch to {
    case .hf:
      try loaded.checkSaving()
      try loaded.save(to: target)
    case .gguf:
      try loaded.writeGGUF(to: target, name: place(model).deletingPathExtension().lastPathComponent)
    }
    let weights = to == .hf ? target.appendingPathComponent("model.safetensors") : target
    let size = try FileManager.default.attributesOfItem(atPath: weights.path)[.size] as? Int
    if compute.json { return try JSONLine.print(Result(out: out, bytes: size ?? 0)) }
    print(
      to == .hf
        ? "Open it:  AutoModelForCausalLM.from_pretrained(\"\(out)\")"
        : "Talk to it:  llama-cli -m \(out)   or   lyceum chat \(out)")
  }
}
