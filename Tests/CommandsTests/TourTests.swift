import Claims
import Foundation
import Testing

@testable import Commands

@Suite("The tour's parts")
struct TourTests {
  @Test("messages come whole out of a stream in pieces; what is no message is passed over")
  func messages() throws {
    let messages = [
      TourMessage(event: .begin, stage: "read \"it\"\n", step: 3, steps: 9),
      TourMessage(event: .update, step: 4, text: "loss 2.31"), TourMessage(event: .end),
    ]
    var stream = Data("a library prints\n".utf8)
    for message in messages { stream += try message.line() + Data("{\"event\":\"odd\"}\n".utf8) }
    for size in [1, 7, 1_000] {
      var reader = TourMessageReader()
      var found: [TourMessage] = []
      for start in stride(from: 0, to: stream.count, by: size) {
        found += reader.read(stream.subdata(in: start..<min(stream.count, start + size)))
      }
      #expect(found == messages)
    }
  }

  @Test(
    "the time left holds within a fifth from a quarter of the way on",
    arguments: [(2, 1.0), (2, 2.5), (1, 0.4), (4, 1.0)])
  func timeLeft(workers: Int, slowdown: Double) {
    // Three stages each; how much each experiment's plan is off differs.
    let plans: [(label: String, plan: [PlannedWork], error: Double)] = [
      ("e7", 240, 1.1), ("e6", 200, 0.9), ("e2", 180, 1.2), ("e1", 160, 1), ("e4", 120, 0.85),
      ("e5", 90, 1.1), ("e3", 60, 1),
    ].map { label, seconds, error in
      let shares = [("read", 0.5), ("rl", 0.3), ("exam", 0.2)]
      return (label, shares.map { .init($0.0, seconds: $0.1 * seconds) }, error)
    }
    var estimate = TourEstimate(jobs: plans.map { ($0.label, $0.plan) }, workers: workers)
    var queue = plans[...]
    var running: [(label: String, stages: [PlannedWork], error: Double, done: Double)] = []
    var time = 0.0
    var said: [(time: Double, left: Double)] = []
    let tick = 0.25
    while !queue.isEmpty || !running.isEmpty {
      while running.count < workers, let next = queue.popFirst() {
        running.append((next.label, next.plan, next.error, 0))
        estimate.begin(next.label, stage: next.plan[0].stage, steps: 200, from: 0, time: time)
      }
      time += tick
      for i in running.indices {
        let length = running[i].stages[0].seconds * slowdown * running[i].error
        running[i].done += tick
        let label = running[i].label
        estimate.update(label, step: min(200, Int(200 * running[i].done / length)), time: time)
        guard running[i].done >= length else { continue }
        estimate.end(label, time: time)
        running[i].stages.removeFirst()
        running[i].done = 0
        if let stage = running[i].stages.first {
          estimate.begin(label, stage: stage.stage, steps: 200, from: 0, time: time)
        } else {
          estimate.finish(label)
        }
      }
      running.removeAll { $0.stages.isEmpty }
      said.append((time, estimate.remaining(time: time)))
    }
    for (at, left) in said where at > time / 4 {
      let truth = time - at
      #expect(abs(left - truth) < 0.2 * truth + 5, "at \(at) of \(time): \(left), not \(truth)")
    }
  }

  @Test("what an earlier run did is not waited for again")
  func resumed() {
    let plan: [PlannedWork] = [.init("read", seconds: 100), .init("rl", seconds: 60)]
    var estimate = TourEstimate(jobs: [("e1", plan), ("e2", plan)], workers: 2)
    #expect(estimate.remaining(time: 0) == 160)
    estimate.begin("e1", stage: "rl", steps: 60, from: 30, time: 0)
    estimate.begin("e2", stage: "rl", steps: 60, from: 0, time: 0)
    #expect(abs(estimate.remaining(time: 0) - 60) < 1)
    estimate.finish("e2")
    #expect(abs(estimate.remaining(time: 0) - 30) < 1)
  }

  @Test("one line shows all stages at work and fits; without a terminal it makes sense alone")
  func line() {
    var line = TourLine(
      stages: [
        .init(label: "e2 rl", share: 0.456), .init(label: "e6 games", share: 0.12, note: "Elo 12"),
      ], elapsed: 100, remaining: 300)
    #expect(
      line.bar(on: Terminal(isTTY: true, width: 80))
        == "e2 rl 45 %, e6 games 12 %  ━━━━━━──────────────────  1:40 gone  5:00 left")
    #expect(
      line.plain()
        == "e2 rl 45 %, e6 games 12 % (Elo 12); 1 min 40 s gone, about 5 min left in all")
    line.stages += line.stages + line.stages
    for width in 1...160 {
      for isUTF8 in [true, false] {
        let text = line.bar(on: Terminal(isTTY: true, isUTF8: isUTF8, width: width))
        #expect(text.count < max(2, width))
      }
    }
  }

  @Test("a stage leaves a line, news stays above, and a redraw takes its line back")
  func progress() {
    var time = 0.0
    var output = ""
    func makeProgress(isTTY: Bool) -> TourProgress {
      (time, output) = (0, "")
      return TourProgress(
        TourEstimate(
          jobs: [("e1", [.init("read", seconds: 10)]), ("e2", [.init("rl", seconds: 10)])],
          workers: 2), before: 5, terminal: Terminal(isTTY: isTTY), now: { time },
        write: { output += $0 })
    }
    for isTTY in [true, false] {
      let progress = makeProgress(isTTY: isTTY)
      progress.begin("e1", stage: "read", steps: 100, from: 0)
      progress.begin("e2", stage: "rl", steps: 100, from: 0)
      for step in 1...100 {
        time += 0.125
        progress.update("e1", step: step, note: "loss 2")
        progress.update("e2", step: step / 2, note: nil)
      }
      progress.finish("e1")
      progress.note("news")
      progress.finish("e2")
      progress.clear()
      let lines = output.split(whereSeparator: { $0 == "\n" || $0 == "\r" }).filter {
        !isTTY || !$0.contains("left")
      }.map { String($0).replacing("\u{1B}[K", with: "") }.filter { !$0.isEmpty }
      let kept = [
        "e1 read: 100 steps in 13 s, loss 2, 8 steps/s", "news",
      ]
      #expect(lines.dropLast().suffix(2) == kept)
      #expect(lines.last?.hasPrefix("e2 rl: 50/100 steps in 13 s, 4") == true)
      if !isTTY {
        #expect(
          lines.count == 4 && lines[0].hasPrefix("e1 read 80 % (loss 2), e2 rl 39 %; 15 s gone"))
      }
    }
  }

  @Test("the verdicts read well at 80 and 120 columns: nothing is cut, nothing is wider")
  func table() {
    let groups = (1...7).map { e in
      ClaimTable.Group(
        title: e == 2 ? "e2  what it knows that it does not know" : "e\(e)  the ladder",
        claims: (1...4).map { i in
          Claim(
            id: "e\(e).claim-number-\(i)",
            statement: i == 1
              ? "Practice beats."
              : "Practice that is checked beats the best imitator of people, "
                + "whatever people have shown it, by a margin.",
            metric: i < 3 ? "RL less SFT" : "RL less the best of three imitators, greedy accuracy",
            estimate: Estimate(0.1 * Double(i), low: 0.05, high: 0.2), .above, threshold: 0.1,
            unit: i == 4 ? .plain : .points, n: 1_000 * i, seeds: [7])
        })
    }
    for width in [80, 120, 200] {
      let text = ClaimTable(groups).text(on: Terminal(isTTY: false, width: width))
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.allSatisfy { $0.count <= min(width, 120) && $0.last != " " })
      for group in groups {
        #expect(text.contains("\(group.title): 0 of 4 hold"))
        for claim in group.claims { #expect(text.contains(claim.id)) }
      }
      #expect(text.contains("+10.0 points    [+5.0, +20.0]  > +10.0 points  1,000"))
      #expect(
        text.replacing("\n", with: " ").hasSuffix(
          "28 are inconclusive. Seed 7: the intervals cover its items only."))
    }
  }
}
