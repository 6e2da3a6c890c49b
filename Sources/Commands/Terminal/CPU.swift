import Foundation

/// Whether this processor has the instructions that the kernels were compiled for.
public enum CPU {
  /// Ends the program with one sentence where running on would end in an illegal instruction.
  public static func requireSupported() {
    guard needsFeatures, let refusal = refusal(cpuinfo: cpuinfo ?? "") else { return }
    Terminal.note(refusal)
    exit(ExitStatus.usage.rawValue)
  }

  /// Whether the kernels were compiled for x86-64-v3.
  static var needsFeatures: Bool {
    #if NativeCPU && os(Linux) && arch(x86_64)
    true
    #else
    false
    #endif
  }

  /// What the system says of its processors; nil where it says nothing.
  static var cpuinfo: String? { Machine.text("/proc/cpuinfo") }

  /// What to say to the owner of a processor that lacks something; nil where it lacks nothing.
  static func refusal(cpuinfo: String) -> String? {
    let missing = missingFeatures(cpuinfo: cpuinfo)
    guard !missing.isEmpty else { return nil }
    return "this program was built for a processor with \(missing.joined(separator: " and ")), "
      + "which this one lacks: build it with `swift build -c release --disable-default-traits`"
  }

  /// What x86-64-v3 needs and the flags of the first processor in `cpuinfo` do not list. Flags that
  /// cannot be read count as present.
  static func missingFeatures(cpuinfo: String) -> [String] {
    guard let present = features(cpuinfo: cpuinfo) else { return [] }
    return ["avx2", "fma", "bmi2", "f16c"].filter { !present.contains($0) }.map { $0.uppercased() }
  }

  /// The flags of the first processor; nil where they cannot be read.
  static func features(cpuinfo: String) -> Set<String>? {
    Machine.field("flags", in: cpuinfo).map { Set($0.split(separator: " ").map(String.init)) }
  }
}
