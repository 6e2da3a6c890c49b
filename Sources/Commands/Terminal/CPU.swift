import Foundation

/// Whether this processor has the instructions that the kernels were compiled for.
public enum CPU {
  /// Ends the program with one sentence where running on would end in an illegal instruction.
  public static func requireSupported() {
    #if NativeCPU && os(Linux) && arch(x86_64)
    let missing = Machine.text("/proc/cpuinfo").map(missingFeatures) ?? []
    guard missing.isEmpty else {
      Terminal.note(
        "This program was built for a processor with \(missing.joined(separator: " and ")), which "
          + "this one lacks; build it with `swift build -c release --disable-default-traits`.")
      exit(ExitStatus.usage.rawValue)
    }
    #endif
  }

  /// What x86-64-v3 needs and the flags of the first processor in `cpuinfo` do not list. Flags that
  /// cannot be read count as present.
  static func missingFeatures(cpuinfo: String) -> [String] {
    guard let flags = Machine.field("flags", in: cpuinfo) else { return [] }
    let present = Set(flags.split(separator: " ").map(String.init))
    return ["avx2", "fma", "bmi2", "f16c"].filter { !present.contains($0) }.map { $0.uppercased() }
  }
}
