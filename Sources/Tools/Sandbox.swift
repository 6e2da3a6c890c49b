import Foundation

/// Runs programs that a model wrote, in Python, where they can reach nothing of this machine: see
/// ``SandboxLauncher``. There is no weaker way to run them: without a sandbox they are not run.
public struct Sandbox: Sendable {
  public struct Limits: Sendable, Equatable {
    /// Of processor time, and a second more on the clock.
    public var seconds = 5
    /// Of each process; there can be 16.
    public var memoryBytes = 256 << 20
    public var fileBytes = 8 << 20
    /// Of standard output, and of standard error; a program that writes more is stopped.
    public var outputBytes = 64 << 10
    public var programBytes = 64 << 10

    public init() {}
  }

  public struct Outcome: Sendable, Equatable {
    public enum End: Sendable, Equatable { case exited(Int32), timedOut, wroteTooMuch }
    /// With U+FFFD for what is not UTF-8.
    public var output: String
    public var errors: String
    public var end: End
  }

  /// The sandbox of this machine, tried out once: a program must run in it and find no file, process
  /// or network of the host. Throws ``ToolError`` where that fails.
  public static func ready() throws -> Sandbox { try tried.get() }

  private static let tried = Result<Sandbox, any Error> {
    let sandbox = Sandbox()
    let outcome = try sandbox.run(canaries, limits: Limits())
    guard outcome.output == "open:\n" else {
      let why = outcome.errors.split(separator: "\n").last ?? "it is not closed"
      throw ToolError(
        "programs cannot be run here, because no sandbox can be made (\(why.prefix(150))): use a "
          + "Linux machine with /usr/bin/python3 and user namespaces, or another verifier or tool")
    }
    return sandbox
  }

  private static let canaries = """
    import os, socket
    found = [p for p in ("/etc/passwd", "/home", "/root", "/proc/self") if os.path.exists(p)]
    if len(os.listdir("/dev")) > 3 or len(os.environ) > 1: found.append("environment")
    try: open("/usr/canary", "w"); found.append("/usr")
    except OSError: pass
    try: socket.create_connection(("127.0.0.1", 1), 1); found.append("network")
    except ConnectionRefusedError: found.append("network")
    except OSError: pass
    print("open:" + ",".join(found))
    """

  /// Runs a program with `input` on its standard input. Throws ``ToolError`` only where it could not
  /// be begun.
  public func run(_ program: String, input: String = "", limits: Limits = Limits()) throws
    -> Outcome
  {
    guard program.utf8.count <= limits.programBytes, !program.utf8.contains(0) else {
      throw ToolError("the program is longer than \(limits.programBytes) bytes, or is not text")
    }
    return try Subprogram(
      [
        "/usr/bin/python3", "-I", "-S", "-B", "-c", SandboxLauncher.script, program,
        String(limits.seconds), String(limits.memoryBytes), String(limits.fileBytes),
      ], input: input, outputBytes: limits.outputBytes
    ).outcome(within: .seconds(limits.seconds + 1))
  }
}

/// Python for the model: what a program writes is the result.
public struct ProgramTool: Tool {
  public let name = "python"
  private let sandbox: Sandbox

  /// Throws ``ToolError`` where this machine has no sandbox.
  public init() throws { sandbox = try Sandbox.ready() }

  public func call(_ argument: String) throws -> String {
    let outcome = try sandbox.run(argument)
    switch outcome.end {
    case .exited(0): return outcome.output
    case .exited:
      let last = outcome.errors.split(separator: "\n").last ?? "the program failed"
      throw ToolError(String(last.prefix(300)))
    case .timedOut: throw ToolError("the program took too long")
    case .wroteTooMuch: throw ToolError("the program wrote too much")
    }
  }
}
