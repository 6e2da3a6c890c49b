import ArgumentParser
import Claims
import Foundation
import TensorKernels

/// `doctor`: whether this machine is fit, and how quick it is.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Check this machine.",
    discussion: "Example:  lyceum doctor --json")

  @Flag(help: "End with one JSON line.") var json = false

  struct Check: Encodable {
    var name: String
    var value: String
    /// What is wrong and what to do; absent where all is well.
    var problem: String?
  }

  struct Result: Encodable {
    var machine: String
    var gflops_per_core: Double
    var checks: [Check]
  }

  func run() throws {
    let peak = multiplyAddsPeak() / 1e9
    let result = Result(
      machine: Machine.describe(), gflops_per_core: peak,
      checks: [features, cores, memory, disk, speed(peak)])
    if json {
      try JSONLine.print(result)
    } else {
      print(result.machine)
      for check in result.checks {
        print("\(check.problem == nil ? "ok " : "!! ") \(check.name): \(check.value)")
        if let problem = check.problem { print("     \(problem)") }
      }
    }
    if result.checks.contains(where: { $0.problem != nil }) { throw ExitStatus.failure.code }
  }

  private var features: Check {
    guard CPU.needsFeatures else {
      return Check(name: "processor", value: "kernels compiled for any processor of its kind")
    }
    // One that lacks them was refused before this verb began; of one that does not say, nothing is known.
    let isKnown = CPU.features(cpuinfo: CPU.cpuinfo ?? "") != nil
    return Check(
      name: "processor",
      value: "kernels compiled for AVX2 and FMA, "
        + (isKnown ? "which it has" : "which the system does not say that it has"))
  }

  private var cores: Check {
    Check(name: "threads", value: "\(kernelThreads) of \(Machine.coreCount) cores")
  }

  private var memory: Check {
    let bytes = Machine.memoryBytes
    return Check(
      name: "memory", value: Format.bytes(Double(bytes)),
      problem: bytes < 1 << 30 ? "a tour needs 0.7 GB: close other programs" : nil)
  }

  private var disk: Check {
    let here = FileManager.default.currentDirectoryPath
    let free = (try? FileManager.default.attributesOfFileSystem(forPath: here))?[.systemFreeSize]
    let bytes = (free as? NSNumber)?.doubleValue ?? 0
    var problem: String?
    if !FileManager.default.isWritableFile(atPath: here) {
      problem = "this folder cannot be written: give --out a folder that can"
    } else if bytes < 2e8 {
      problem = "a tour writes about 60 MB: make room, or give --out another disk"
    }
    return Check(name: "disk", value: Format.bytes(bytes) + " free here", problem: problem)
  }

  private func speed(_ peak: Double) -> Check {
    Check(
      name: "speed", value: "\(Format.fixed(peak, 0)) GFLOP/s a core in multiply-adds",
      problem: peak < 10
        ? "slow: the processor is busy or emulated, and a tour will take long" : nil)
  }
}
