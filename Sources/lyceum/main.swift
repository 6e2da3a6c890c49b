import ArgumentParser
import Commands

// Before anything is computed: the kernels of this build may be beyond the processor.
CPU.requireSupported()
do {
  var command = try Lyceum.parseAsRoot()
  try command.run()
} catch {
  Lyceum.finish(with: error)
}
