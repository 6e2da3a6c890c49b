import ArgumentParser
import Claims
import Foundation
import Training

/// How a command ends, as scripts see it.
public enum ExitStatus: Int32, Sendable {
  case success = 0
  /// The command could not do its work.
  case failure = 1
  /// The command line, or this machine, does not allow the work at all.
  case usage = 2
  /// Stopped by Ctrl-C or SIGTERM, with what was done saved.
  case interrupted = 130

  /// The status for an error that reached the top of `command`.
  public static func of<Command: ParsableArguments>(
    _ error: any Error, in command: Command.Type
  ) -> ExitStatus {
    if error is Interrupted || error is StageStopped || error is ExperimentStopped {
      return .interrupted
    }
    if let code = error as? ExitCode { return ExitStatus(rawValue: code.rawValue) ?? .failure }
    switch command.exitCode(for: error) {
    case .success: return .success
    case .validationFailure: return .usage
    default: return .failure
    }
  }

  /// For `throw`, where a command has already said why.
  public var code: ExitCode { ExitCode(rawValue) }
}

extension ParsableCommand {
  /// Ends the program: help on standard output, anything else on standard error, status 0, 1, 2 or
  /// 130 (the argument parser's own would be 64 for a wrong flag).
  public static func finish(with error: any Error) -> Never {
    let status = ExitStatus.of(error, in: Self.self)
    let text = status == .interrupted ? "\(error)" : fullMessage(for: error)
    if status == .success {
      if !text.isEmpty { print(text) }
    } else if !text.isEmpty {
      Terminal.note(text)
    }
    Foundation.exit(status.rawValue)
  }
}
