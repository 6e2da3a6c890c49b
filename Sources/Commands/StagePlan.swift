import Claims
import Foundation
import LanguageModel
import ModelFiles
import TensorCore
import TensorKernels
import Training

/// What a stage will take, said before it begins.
struct StagePlan {
  var config: DecoderConfig
  /// Rows that are in memory at a time, and tokens in each.
  var rows: Int
  var length: Int
  var steps: Int
  /// Tokens that a step learns from.
  var stepTokens: Int
  var optimizer: OptimizerSettings
  /// Bytes and seconds of a step beside learning: the rollouts of practice.
  var extraBytes = 0
  var extraSeconds = 0.0
  /// What is trained beside parameters that stay as they are; nil where all are trained.
  var adapterParameters: Int?

  /// Bytes at the peak, about: parameters in three orders, what is trained with its gradient and
  /// moments, what the backward pass needs of every layer, and the step's tokens themselves.
  var bytes: Int {
    let perToken =
      config.layers * (12 * config.width + 4 * config.hiddenWidth) + 4 * config.width
    let floats =
      Double(config.parameterCount) * 3
      + Double(adapterParameters ?? config.parameterCount) * 3 + Double(rows) * Double(length)
      * Double(perToken)
      + Double(stepTokens) * 4
    return Int(min(floats * 4, 1e18)) + extraBytes + (60 << 20)
  }

  /// Throws where the machine has less memory than that.
  func checkMemory(_ advice: String) throws {
    guard bytes < Machine.memoryBytes else {
      throw TrainingError(
        "this needs about \(Format.bytes(Double(bytes))) of memory and the machine has "
          + "\(Format.bytes(Double(Machine.memoryBytes))): \(advice)")
    }
  }

  /// Says `what`, the time and the memory. The time is of the steps that `folder` has not yet taken,
  /// from one that is timed here and now.
  func announce(_ what: String, in folder: URL) throws {
    let left = steps - CheckpointStore(folder.appendingPathComponent("checkpoints")).newestStep
    guard left > 0 else { return Terminal.note("\(what): done before.") }
    let step = try stepSeconds() + extraSeconds
    let time = Format.duration(step * Double(left))
    let part = left < steps ? "\(left) of them left, " : ""
    Terminal.note("\(what): \(part)about \(time), \(Format.bytes(Double(bytes))) of memory.")
  }
}

extension StagePlan {
  /// Seconds of a step: timed on a model of the same shape, or reckoned where such a second model would
  /// take long to make.
  private func stepSeconds() throws -> Double {
    guard adapterParameters == nil, config.parameterCount < 30_000_000 else {
      let threads = kernelThreads
      // An adapter's model needs no gradients of its own matrices: a third of the work.
      let share = adapterParameters == nil ? 1.0 : 2.0 / 3
      return share * config.trainingOperations(length: length) * Double(stepTokens)
        / (0.6 * multiplyAddsPeak(threads: threads))
    }
    return try timedStep(config, tokens: stepTokens, length: length, optimizer: optimizer)
  }
}

/// The folder of a run that is about to begin or go on. A folder that is itself a model is refused:
/// the run would put a second one beside it.
func runFolder(_ path: String) throws -> URL {
  let folder = place(path)
  if FileManager.default.fileExists(atPath: folder.appendingPathComponent("config.json").path) {
    throw TrainingError("\(path) is a model: choose another folder with --out")
  }
  return folder
}
