import ArgumentParser
import LanguageModel
import Training

/// Whether an adapter is trained instead of the model.
struct AdapterOptions: ParsableArguments {
  @Option(help: "Train an adapter of this rank (LoRA) instead of the whole model.") var lora: Int?
  @Option(help: "The adapter's share is multiplied by it over the rank (default: twice the rank).")
  var loraAlpha: Float?
  @Option(help: "What is adapted: all-linear, or names such as q_proj,v_proj.") var loraTargets:
    String?

  func validate() throws {
    guard let lora else {
      if loraAlpha != nil || loraTargets != nil {
        throw ValidationError("--lora-alpha and --lora-targets need --lora")
      }
      return
    }
    guard (1...4_096).contains(lora) else {
      throw ValidationError("--lora is \(lora): a rank lies in 1...4,096")
    }
    if let loraAlpha, !(loraAlpha > 0 && loraAlpha.isFinite) {
      throw ValidationError("--lora-alpha must be above 0")
    }
    if let names, names.isEmpty { throw ValidationError("--lora-targets names nothing") }
  }

  /// Nil for all inside the layers.
  private var names: [String]? {
    guard let loraTargets, loraTargets != "all-linear" else { return nil }
    return Set(loraTargets.split(separator: ",").map(String.init)).sorted()
  }

  var settings: AdapterSettings? {
    lora.map { AdapterSettings(rank: $0, alpha: loraAlpha ?? Float(2 * $0), targets: names) }
  }

  /// Throws where a target is no matrix of the model.
  func check(_ model: Transformer) throws {
    for name in names ?? [] where !model.adapter.contains(where: { $0.name.contains(".\(name).") })
    {
      let known = Set(
        model.parameters.filter { $0.kind == .matrix }.flatMap(\.parts).compactMap {
          $0.name.split(separator: ".").dropLast().last.map(String.init)
        })
      throw TrainingError(
        "the model has no matrix \"\(name)\": --lora-targets takes "
          + known.sorted().joined(separator: ", "))
    }
  }
}
