import Synchronization
import Testing

@testable import Commands

@Suite("Progress")
struct ProgressTests {
  /// A clock that moves only when told, and what was written meanwhile.
  final class Stage: Sendable {
    let time = Mutex(0.0)
    let output = Mutex<[String]>([])

    func bar(plan: [PlannedStage] = [], isTTY: Bool, width: Int = 80) -> ProgressBar {
      ProgressBar(
        plan: plan, terminal: Terminal(isTTY: isTTY, width: width),
        now: { self.time.withLock { $0 } },
        write: { text in self.output.withLock { $0.append(text) } })
    }

    func advance(_ seconds: Double) { time.withLock { $0 += seconds } }

    var lines: [String] { output.withLock { $0 } }
  }

  @Test("without a terminal: one plain line at most every ten seconds, and one at the end")
  func plain() {
    let stage = Stage()
    let bar = stage.bar(isTTY: false)
    bar.begin("reading", steps: 1_000, work: "tokens")
    for step in 1...1_000 {
      stage.advance(0.031_25)
      bar.update(step: step, work: step * 4_096, note: "loss 2.31")
    }
    bar.end()
    #expect(
      stage.lines == [
        "reading: 320/1,000 steps (32 %), loss 2.31, 131 k tokens/s, 10 s gone, about 21 s left\n",
        "reading: 640/1,000 steps (64 %), loss 2.31, 131 k tokens/s, 20 s gone, about 11 s left\n",
        "reading: 960/1,000 steps (96 %), loss 2.31, 131 k tokens/s, 30 s gone, about 1.2 s left\n",
        "reading: 1,000 steps in 31 s, loss 2.31, 131 k tokens/s\n",
      ])
    #expect(!stage.lines.joined().contains("\u{1B}") && !stage.lines.joined().contains("\r"))
  }

  @Test("shares of a whole have no speed")
  func shares() {
    let stage = Stage()
    let bar = stage.bar(isTTY: false)
    bar.begin("tokenizer", steps: 100, unit: "%")
    for step in 1...100 {
      stage.advance(0.125)
      bar.update(step: step)
    }
    bar.end()
    #expect(stage.lines.count == 2 && !stage.lines.joined().contains("%/s"))
  }

  @Test("on a terminal: at most ten redraws a second, each on one line that fits")
  func redraws() {
    let stage = Stage()
    let bar = stage.bar(isTTY: true, width: 60)
    bar.begin("practising", steps: 384)
    for step in 1...384 {
      stage.advance(1.0 / 128)
      bar.update(step: step, note: "reward 0.82")
    }
    let drawn = stage.lines.filter { $0.hasPrefix("\r\u{1B}[K") && $0.count > 5 }
    #expect(drawn.count <= 31 && drawn.count >= 28)
    #expect(drawn.allSatisfy { $0.count - 4 < 60 && !$0.contains("\n") })
    bar.end()
    #expect(stage.lines.last == "practising: 384 steps in 3 s, reward 0.82, 128 steps/s\n")
  }

  @Test("a bar fits every width, and drops the least wanted fields first", arguments: 5...140)
  func fits(width: Int) {
    let line = ProgressLine(
      label: "reading", step: 620, total: 1_000, rate: "18.2 k tokens/s", note: "loss 2.314",
      elapsed: 72, remaining: 45, remainingInAll: 110)
    let text = line.bar(on: Terminal(isTTY: true, width: width))
    #expect(text.count < width)
    if width >= 40 { #expect(text.contains("0:45 left")) }
    if width >= 70 { #expect(text.contains("620/1,000  62 %") && text.contains("loss 2.314")) }
    if width >= 120 { #expect(text.contains("1:12 gone") && text.contains("1:50 in all")) }
  }

  @Test("a bar is drawn in ASCII where the locale is not UTF-8, without colours unless welcome")
  func ascii() {
    let line = ProgressLine(label: "x", step: 1, total: 2, elapsed: 1)
    let text = line.bar(on: Terminal(isTTY: true, isUTF8: false))
    #expect(text.allSatisfy { $0.isASCII } && text.contains("###"))
    #expect(!text.contains("\u{1B}"))
    #expect(line.bar(on: Terminal(isTTY: true, usesColor: true)).contains("\u{1B}[36m"))
  }

  @Test("the time left holds through one slow step and follows a lasting change of speed")
  func etaHolds() throws {
    var rate = RateEstimate(time: 0)
    var time = 0.0
    for step in 1...300 {
      time += 0.1
      rate.record(time: time, step: Double(step))
    }
    let steady = try #require(rate.rate)
    #expect(abs(steady - 10) < 1e-6)
    time += 1
    rate.record(time: time, step: 301)
    let afterPause = try #require(rate.rate)
    #expect(afterPause > 9.4)
    for step in 302...600 {
      time += 0.2
      rate.record(time: time, step: Double(step))
    }
    let slow = try #require(rate.rate)
    #expect(abs(slow - 5) < 0.3)
  }

  @Test("the time left in all stages is right from the start, where the machine is twice as slow")
  func planCorrected() {
    var plan = PlanEstimate([
      PlannedStage("a", seconds: 60), PlannedStage("b", seconds: 30),
      PlannedStage("c", seconds: 10),
    ])
    plan.begin("a")
    #expect(plan.remaining(share: 0, doneHere: 0, elapsed: 0, byRate: nil) == 100)
    // A quarter of the first stage took 30 s: twice the plan. 90 s here and 80 s after remain.
    let quarter = plan.remaining(share: 0.25, doneHere: 0.25, elapsed: 30, byRate: 90)
    #expect(abs(quarter - 170) < 12)
    plan.end(seconds: 120, share: 1)
    plan.begin("b")
    let second = plan.remaining(share: 0, doneHere: 0, elapsed: 0, byRate: nil)
    #expect(abs(second - 80) < 5)
    #expect(plan.hasMore)
    plan.begin("c")
    #expect(!plan.hasMore)
  }

  @Test("stages that an earlier run finished do not count, nor the steps it did")
  func resumed() {
    let stage = Stage()
    let plan = [PlannedStage("a", seconds: 100), PlannedStage("b", seconds: 100)]
    let bar = stage.bar(plan: plan, isTTY: false)
    bar.begin("b", steps: 1_000, from: 900)
    for step in 901...950 {
      stage.advance(0.5)
      bar.update(step: step)
    }
    #expect(stage.lines[0] == "b: 920/1,000 steps (92 %), 2 steps/s, 10 s gone, about 40 s left\n")
  }

  @Test("clock times keep a steady width")
  func clock() {
    #expect(
      [0, 45.2, 200, 3_900, -1, .infinity].map(Clock.text) == [
        "0:00", "0:45", "3:20", "1:05:00", "0:00", "0:00",
      ])
  }
}
