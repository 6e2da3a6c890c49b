import Environments
import Tokenization
import Training

// Countdown: reach a number from three others with +, − and ×, each used once. Finding the way is a
// search; checking it is easy.

/// Three numbers and the one to reach.
struct CountdownProblem: Sendable, Equatable {
  var numbers: [Int]
  var target: Int

  /// Two operations in a row: "7 x 3 = 21 , 21 + 5 = 26".
  struct Trial: Sendable, Equatable {
    var words: [String]
    var result: Int
  }

  var prompt: String { numbers.map(String.init).joined(separator: " ") + " make \(target)" }

  var problem: Problem { Problem(prompt: " " + prompt, answer: String(target)) }

  /// One in five is for the test, whatever the order of its numbers.
  var portion: Portion {
    let key = numbers.sorted().map(String.init).joined(separator: " ")
    return stableHash("countdown \(key) make \(target)") % 5 == 0 ? .test : .train
  }

  /// All ways to use the numbers, in which nothing is below 0 or above 99.
  static func trials(_ numbers: [Int]) -> [Trial] {
    var found: [Trial] = []
    for (i, j, k) in [(0, 1, 2), (0, 2, 1), (1, 2, 0)] {
      for first in operations(numbers[i], numbers[j]) {
        for second in operations(first.result, numbers[k]) {
          found.append(Trial(words: first.words + [","] + second.words, result: second.result))
        }
      }
    }
    return found
  }

  /// The larger number first.
  private static func operations(_ a: Int, _ b: Int) -> [Trial] {
    let (high, low) = (max(a, b), min(a, b))
    return [("+", high + low), ("-", high - low), ("x", high * low)].filter { $0.1 <= 99 }.map {
      Trial(words: [String(high), $0.0, String(low), "=", String($0.1)], result: $0.1)
    }
  }

  /// The `index`-th problem of a stream that can be solved.
  static func draw(_ portion: Portion, seed: UInt64, stream: String, index: Int)
    -> CountdownProblem
  {
    var random = SplitMix64(seed: seed, stream: stream, index: index)
    while true {
      let numbers = (0..<3).map { _ in random.within(1...9) }
      let problem = CountdownProblem(
        numbers: numbers, target: random.pick(trials(numbers)).result)
      if problem.target > 9, problem.portion == portion { return problem }
    }
  }
}

/// People who try one way after the other, in any order, and give up early.
struct CountdownPeople: Codable, Sendable, Equatable {
  /// Ways that they try at most.
  var patience: ClosedRange<Int>

  /// What they write, and whether they got there.
  func solution(_ problem: CountdownProblem, _ random: inout SplitMix64) -> (
    words: [String], isRight: Bool
  ) {
    var trials = CountdownProblem.trials(problem.numbers)
    random.shuffle(&trials)
    var words: [String] = []
    for trial in trials.prefix(random.within(patience)) {
      words += trial.words
      if trial.result == problem.target { return (words + ["yes"], true) }
      words.append("no")
    }
    return (words + ["enough"], false)
  }
}

/// 1 where the last way that is written reaches the target, each number used once, every sum right.
struct CountdownVerifier: Verifier {
  func reward(problem: Problem, response: String) -> Double {
    let asked = problem.prompt.split(separator: " ").map(String.init)
    let words = response.split(separator: " ").map(String.init)
    guard asked.count == 5, let target = Int(asked[4]), words.last == "yes" else { return 0 }
    let numbers = asked.prefix(3).compactMap { Int($0) }
    let last = Array(
      words.dropLast()[((words.dropLast().lastIndex(of: "no") ?? -1) + 1)...])
    let isWay = CountdownProblem.trials(numbers).contains {
      $0.result == target && $0.words == last
    }
    return isWay ? 1 : 0
  }
}
