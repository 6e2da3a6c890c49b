import ArgumentParser
import Commands

do {
  var command = try Lyceum.parseAsRoot()
  try command.run()
} catch {
  Lyceum.finish(with: error)
}
