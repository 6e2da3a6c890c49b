import Environments
import Tokenization
import Tools

// What Karpathy shows on ChatGPT, as questions that any model can be asked. All names and facts are
// invented; what is asked depends on the seed alone.

extension Demonstration {
  /// - Parameter items: questions of a kind.
  static func all(items: Int, seed: UInt64) -> [Demonstration] {
    [
      people(times: 5), letters(items: items, seed: seed), steps(items: items, seed: seed),
      passages(items: items, seed: seed), tools(items: items, seed: seed),
    ]
  }

  /// "Who is Orson Kovats?": the same question several times, each answer drawn anew.
  private static func people(times: Int) -> Demonstration {
    let names = ["Orson Kovats", "Zyler Brandtmoor", "Mirelle Okastrandt"]
    let questions = names.flatMap { name in
      (0..<times).map { _ in
        Question("Who is \(name)?") { !TalkGrading.admits($0) }
      }
    }
    let honest = questions.map {
      Question(
        $0.messages[0].content,
        system: "If you do not know who someone is, say \"I don't know\" and nothing else.",
        counts: $0.counts)
    }
    return Demonstration(
      name: "an invented person", measure: "invents",
      arms: [
        Arm(name: "asked", questions: questions, temperature: 1, maxTokens: 48),
        Arm(name: "told to say so", questions: honest, temperature: 1, maxTokens: 48),
      ])
  }

  private static let words = [
    "strawberry", "banana", "committee", "occurrence", "mississippi", "letter", "balloon",
    "assessment", "parallel", "bookkeeper", "raspberry", "possession", "tomorrow", "eleven",
    "coconut", "referee", "pepper", "cabbage", "nineteen", "sessions", "giraffe", "referrer",
    "indivisible", "statistics", "succession", "millennium", "accommodate", "embarrass",
    "beekeeper", "whippersnapper",
  ]

  /// Letters in a word as tokens have it, and with the letters apart.
  private static func letters(items: Int, seed: UInt64) -> Demonstration {
    var random = SplitMix64(seed: seed, stream: "talk letters")
    let asked = (0..<items).map { i in
      let word = words[i % words.count]
      return (word: word, letter: random.pick(Array(Set(word)).sorted()))
    }
    func arm(_ name: String, _ write: (String) -> String) -> Arm {
      Arm(
        name: name,
        questions: asked.map { word, letter in
          let right = word.count { $0 == letter }
          return Question(
            "How many times does the letter \(letter) occur in \(write(word))? Answer with a number."
          ) { TalkGrading.number($0) == right }
        }, maxTokens: 32)
    }
    return Demonstration(
      name: "letters of a word", measure: "right",
      arms: [
        arm("as tokens") { "the word \"\($0)\"" },
        arm("spelled out") { "this list: " + $0.map { String($0) }.joined(separator: ", ") },
      ])
  }

  /// A sum in words, with the answer at once and with the steps before it.
  private static func steps(items: Int, seed: UInt64) -> Demonstration {
    var random = SplitMix64(seed: seed, stream: "talk steps")
    let problems = (0..<items).map { _ -> (text: String, answer: Int) in
      let name = random.pick(["Emily", "Tom", "Nadia", "Victor"])
      let (apples, oranges) = (random.within(2...6), random.within(2...6))
      let (apple, orange) = (random.within(2...9), random.within(2...9))
      return (
        "\(name) buys \(apples) apples and \(oranges) oranges. Each orange costs $\(orange). "
          + "The total cost of all the fruit is $\(apples * apple + oranges * orange). "
          + "How many dollars does each apple cost?", apple
      )
    }
    func arm(_ name: String, _ order: String, _ maxTokens: Int) -> Arm {
      Arm(
        name: name,
        questions: problems.map { text, answer in
          Question(text + " " + order) { TalkGrading.number($0) == answer }
        }, maxTokens: maxTokens)
    }
    return Demonstration(
      name: "a problem in words", measure: "right",
      arms: [
        arm("answer now", "Answer with one number and nothing else.", 12),
        arm(
          "step by step", "Think step by step, then end with \"Answer:\" and the number.", 192),
      ])
  }

  /// A fact about someone who does not exist, from memory and from the page.
  private static func passages(items: Int, seed: UInt64) -> Demonstration {
    var random = SplitMix64(seed: seed, stream: "talk passages")
    let first = ["Tamsin", "Odo", "Kerra", "Jorvik", "Ilse", "Bram", "Sunniva", "Calder"]
    let last = ["Vellacott", "Brunnholm", "Ashgrave", "Quillon", "Marravane", "Osterlind"]
    let towns = ["Dunmere", "Halvik", "Corrowby", "Estrel", "Vangard", "Pellworth"]
    let crafts = ["clockmaker", "botanist", "violinist", "blacksmith", "painter", "baker"]
    let asked = (0..<items).map { _ -> (passage: String, question: String, answer: String) in
      let name = random.pick(first) + " " + random.pick(last)
      let (town, craft, year) = (
        random.pick(towns), random.pick(crafts), random.within(1840...1960)
      )
      let passage =
        "\(name) was born in \(year) in the town of \(town) and worked as a \(craft) until a fire "
        + "destroyed the workshop."
      return random.pick([
        (passage, "In which town was \(name) born?", town),
        (passage, "In which year was \(name) born?", String(year)),
        (passage, "What did \(name) work as?", craft),
      ])
    }
    func arm(_ name: String, _ write: (String, String) -> String) -> Arm {
      Arm(
        name: name,
        questions: asked.map { passage, question, answer in
          Question(write(passage, question)) { TalkGrading.says(answer, $0) }
        }, maxTokens: 40)
    }
    return Demonstration(
      name: "a fact about a person", measure: "right",
      arms: [
        arm("closed book") { $1 + " Answer in a few words." },
        arm("passage in front") { "\($0)\n\n\($1) Answer in a few words." },
      ])
  }

  /// A product that no one does in the head, without and with a calculator.
  private static func tools(items: Int, seed: UInt64) -> Demonstration {
    var random = SplitMix64(seed: seed, stream: "talk tools")
    let pairs = (0..<items).map { _ in (random.within(102...998), random.within(102...998)) }
    let order =
      "You have a calculator. To use it, write CALC(expression) and stop, for example "
      + "CALC(12*34). You are then told the result."
    func questions(_ system: String?) -> [Question] {
      pairs.map { a, b in
        Question("What is \(a) times \(b)?", system: system) { TalkGrading.number($0) == a * b }
      }
    }
    return Demonstration(
      name: "a large product", measure: "right",
      arms: [
        Arm(name: "alone", questions: questions(nil), maxTokens: 64),
        Arm(
          name: "with a calculator", questions: questions(order), maxTokens: 64,
          calculator: Calculator()),
      ])
  }
}
