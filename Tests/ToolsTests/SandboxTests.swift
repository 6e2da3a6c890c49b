import Foundation
import Testing

@testable import Tools

/// Whether this machine can make a sandbox; where it cannot, programs are refused and that is tested.
private let sandbox = try? Sandbox.ready()

@Suite("Sandbox", .serialized)
struct SandboxTests {
  private func run(
    _ program: String, input: String = "", _ change: (inout Sandbox.Limits) -> Void = { _ in }
  )
    throws -> Sandbox.Outcome
  {
    var limits = Sandbox.Limits()
    limits.seconds = 2
    change(&limits)
    return try #require(sandbox).run(program, input: input, limits: limits)
  }

  @Test("where there is no sandbox there is one sentence, and no program is run")
  func refusal() {
    if sandbox == nil {
      let error = #expect(throws: ToolError.self) { try ProgramTool() }
      #expect(error?.description.contains("sandbox") == true)
    } else {
      #expect(throws: Never.self) { try ProgramTool() }
    }
  }

  @Test("a program reads its input and writes its answer", .enabled(if: sandbox != nil))
  func works() throws {
    let outcome = try run("print(sum(int(line) for line in open(0)))", input: "1\n2\n3\n")
    #expect(outcome == Sandbox.Outcome(output: "6\n", errors: "", end: .exited(0)))
    #expect(try ProgramTool().call("print('strawberry'.count('r'))") == "3\n")
    #expect(throws: ToolError.self) { try ProgramTool().call("1/0") }
    #expect(try run("import os; os._exit(7)").end == .exited(7))
    #expect(
      try run("import sys; sys.stdout.buffer.write(b'\\xff\\xfe')").output == "\u{FFFD}\u{FFFD}")
    #expect(throws: ToolError.self) { try run("a\0b") }
    #expect(throws: ToolError.self) { try run(String(repeating: "#", count: 70_000)) }
  }

  /// Each must print "closed".
  private static let escapes = [
    "open('/etc/passwd')", "open('/etc/shadow')", "os.listdir('/root')", "os.listdir('/home')",
    "open('/proc/1/environ')", "open('/proc/self/mem', 'wb')", "open('/usr/bin/x', 'w')",
    "open('/x', 'w')", "open('/dev/x', 'w')", "open('/dev/mem', 'rb')", "os.mkdir('/y')",
    "os.symlink('/etc', '/tmp/e'); os.listdir('/tmp/e')", "os.link('/usr/bin/env', '/tmp/e')",
    "os.chroot('/tmp')", "os.setuid(0)", "os.setgid(0)", "os.kill(2, 9)",
    "os.kill(os.getppid() or 2, 9)",
    "os.sethostname('x') if hasattr(os, 'sethostname') else socket.sethostname('x')",
    "socket.create_connection(('127.0.0.1', 80), 1)",
    "socket.create_connection(('1.1.1.1', 53), 1)",
    "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)", "os.mknod('/tmp/d', 0o60600, 1)",
    "check(libc.ptrace(16, 1, 0, 0))", "check(libc.unshare(0x10000000))",
    "check(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))", "check(libc.umount2(b'/usr', 2))",
    "check(libc.setns(0, 0))", "check(libc.personality(0x0040000))",
    "check(libc.syscall(425, 1, 0))", "check(libc.syscall(321, 0, 0, 0))",
    "resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))", "bytearray(1 << 30)",
    "[threading.Thread(target=time.sleep, args=(9,), daemon=True).start() for i in range(99)]",
    "open('/tmp/big', 'wb').write(bytes(1 << 24))", "os.nice(-5)",
    "[open('/dev/null') for i in range(99)]", "os.read(3, 1)", "os.write(9, b'x')",
    "subprocess.run(['/usr/bin/su', '-c', 'id'], check=True, stdin=-3)",
    "subprocess.run(['/usr/bin/unshare', '-U', 'true'], check=True)",
  ]

  @Test("ways out are closed", .enabled(if: sandbox != nil), arguments: escapes)
  func closed(attempt: String) throws {
    let program = """
      import ctypes, os, resource, socket, subprocess, threading, time
      libc = ctypes.CDLL(None, use_errno=True)
      def check(result):
        if result == -1: raise OSError(ctypes.get_errno())
      def attempt():
        files = []
        \(attempt.replacingOccurrences(of: "[open(", with: "files = [open("))
      try: attempt(); print("open", flush=True)
      except (OSError, RuntimeError, MemoryError, ValueError, subprocess.SubprocessError): print("closed", flush=True)
      os._exit(0)
      """
    let outcome = try run(program)
    #expect(outcome.output == "closed\n", "\(attempt): \(outcome)")
  }

  @Test("the host's environment and files are not seen", .enabled(if: sandbox != nil))
  func environment() throws {
    setenv("LYCEUM_CANARY", "secret", 1)
    let outcome = try run(
      "import os; print(dict(os.environ), sorted(os.listdir('/')), os.listdir('/tmp'))")
    #expect(!outcome.output.contains("secret"))
    #expect(outcome.output.contains("[]"))
    let left = try run("open('/tmp/a', 'w').write('x')\nprint(1)")
    #expect(left.output == "1\n")
    #expect(!FileManager.default.fileExists(atPath: "/tmp/a/x"))
    #expect(try run("import os; print(os.listdir('/tmp'))").output == "[]\n")
  }

  @Test("what does not end is ended, and nothing of it is left", .enabled(if: sandbox != nil))
  func endless() throws {
    for program in [
      "while True: pass", "import time; time.sleep(99)",
      "import signal, time\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(99)",
      "import os, time\nif os.fork(): os._exit(0)\ntime.sleep(99)",
      "import os, time\nos.setsid()\nfor i in range(9):\n  os.fork()\ntime.sleep(99)",
      "import os, sys, time\nos.close(1); os.close(2); time.sleep(99)",
      "while True: print('x' * 999, flush=True)",
      "import sys\nwhile True: sys.stderr.write('x' * 999)",
      "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass",
      "x = []\nwhile True: x.append(bytearray(1 << 20))", "9 ** 9 ** 9 ** 9",
      "def f(): f()\nimport sys\nsys.setrecursionlimit(10**9)\nf()",
    ] {
      let start = ContinuousClock.now
      let outcome = try run(program) { $0.seconds = 1 }
      #expect(ContinuousClock.now - start < .seconds(4), "\(program)")
      #expect(outcome.output.utf8.count <= 65_536)
    }
  }
}
