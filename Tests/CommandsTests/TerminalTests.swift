import ArgumentParser
import Claims
import Foundation
import Testing

@testable import Commands

@Suite("Terminal")
struct TerminalTests {
  struct Sample: ParsableCommand {
    @Option var count: Int
  }

  struct Broken: Error {}

  @Test("every error has the exit status that scripts expect")
  func statuses() throws {
    #expect(ExitStatus.of(Broken(), in: Sample.self) == .failure)
    #expect(ExitStatus.of(Interrupted(), in: Sample.self) == .interrupted)
    #expect(ExitStatus.of(ExitStatus.usage.code, in: Sample.self) == .usage)
    for arguments in [["--count", "many"], ["--wrong"], []] {
      let error = try #require(throws: (any Error).self) { try Sample.parse(arguments) }
      #expect(ExitStatus.of(error, in: Sample.self) == .usage)
    }
    let help = try #require(throws: (any Error).self) { try Sample.parse(["--help"]) }
    #expect(ExitStatus.of(help, in: Sample.self) == .success)
    #expect(ExitStatus.interrupted.rawValue == 130)
  }

  @Test("the first signal sets the flag; the second ends the program with 130")
  func interrupts() async {
    await #expect(processExitsWith: .exitCode(0)) {
      Interrupt.install()
      let before = Interrupt.isRequested
      deliver(SIGTERM)
      exit(!before && Interrupt.isRequested ? 0 : 9)
    }
    await #expect(processExitsWith: .exitCode(130)) {
      Interrupt.install()
      deliver(SIGINT)
      deliver(SIGINT)
      exit(0)
    }
  }

  @Test("Interrupt.check throws once a stop was asked for")
  func check() async {
    await #expect(processExitsWith: .exitCode(7)) {
      Interrupt.install()
      try Interrupt.check()
      deliver(SIGINT)
      do { try Interrupt.check() } catch { exit(7) }
    }
  }

  @Test("the machine describes itself and knows its peak memory")
  func machine() {
    let parts = Machine.describe().split(separator: ", ")
    #expect(parts.count >= 4)
    #expect(Machine.coreCount >= 1 && Machine.memoryBytes > 100_000_000)
    #expect(Machine.peakResidentBytes > 1_000_000)
    #expect(Machine.peakResidentBytes < Machine.memoryBytes)
  }

  @Test("a missing instruction set is named, whole words only")
  func cpu() {
    #expect(CPU.missingFeatures(cpuinfo: "flags\t\t: fpu avx2 fma bmi2 f16c\n") == [])
    #expect(CPU.missingFeatures(cpuinfo: "flags : fpu avx fma4 bmi2 f16c\n") == ["AVX2", "FMA"])
    #expect(CPU.missingFeatures(cpuinfo: "nothing known") == [])
  }

  @Test("a table aligns its columns and leaves no space at the end of a line")
  func table() {
    var table = TextTable([.init("name"), .init("loss", .right), .init("note")])
    table.add(["base", "2.31", ""])
    table.add(["best SFT", "12.4", "greedy"])
    #expect(
      table.text == """
        name      loss  note
        ────────  ────  ──────
        base      2.31
        best SFT  12.4  greedy
        """)
  }

  @Test("the last line of --json is one line with sorted keys")
  func json() throws {
    struct Result: Encodable {
      var step_ms = 1.5
      var loss_first = Double.nan
      var path = "runs/a"
    }
    let line = try String(decoding: JSONLine.encode(Result()), as: UTF8.self)
    #expect(line == #"{"loss_first":"nan","path":"runs/a","step_ms":1.5}"#)
  }

  @Test("colours only where they are welcome")
  func styles() {
    #expect(Terminal(isTTY: true).styled("x", .green) == "x")
    #expect(Terminal(isTTY: true, usesColor: true).styled("x", .green) == "\u{1B}[32mx\u{1B}[0m")
  }
}

/// Sends a signal to this thread and returns once it was handled. The threads that run tests block
/// all signals.
private func deliver(_ number: Int32) {
  var set = sigset_t()
  sigemptyset(&set)
  sigaddset(&set, number)
  pthread_sigmask(SIG_UNBLOCK, &set, nil)
  raise(number)
}
