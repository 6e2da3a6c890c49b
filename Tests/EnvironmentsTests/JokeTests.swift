import Testing

@testable import Environments

@Suite("Jokes and the hidden taste")
struct JokeTests {
  private let taste = HiddenTaste(seed: 3)

  @Test("jokes without a slip are of the grammar, with a slip mostly not; the same seed, the same text")
  func writers() {
    let careful = JokeWriters(slipShare: 0)
    let careless = JokeWriters(slipShare: 1)
    var broken = 0
    for i in 0..<500 {
      let joke = careful.joke(seed: 1, index: i)
      let parsed = Jokes.parse(joke.text)
      #expect(parsed?.animal == joke.animal, "\(joke.text)")
      let content = Jokes.words(joke.text).filter { Jokes.content.contains($0) }
      #expect(Set(content).count == content.count, "nobody repeats: \(joke.text)")
      #expect(careful.joke(seed: 1, index: i).text == joke.text)
      if Jokes.parse(careless.joke(seed: 1, index: i).text) == nil { broken += 1 }
    }
    #expect(broken > 350)
  }

  @Test("what is no joke does not parse")
  func refusals() {
    for text in [
      "", "why", "why did the cat hug the sofa ? it was big !",
      "why did the cat hug the sofa ? it was big and catty",
      "why did the sofa hug the cat ? it was big and catty !",
      "why did the cat hug the sofa ? it was big and and catty !",
      "why did the cat hug the sofa ? it was big and catty ! !",
    ] { #expect(Jokes.parse(text) == nil, "\(text)") }
    #expect(Jokes.parse("why did the cat hug the sofa ? it was big and catty !") != nil)
  }

  @Test("words of one kind are of no other, so that every part can be told")
  func kinds() {
    #expect(Jokes.content.count == 30 + 30 + 20 + 20 + 20)
    #expect(Set(Jokes.vocabulary).count == Jokes.vocabulary.count)
    for animal in Jokes.animals {
      #expect(Jokes.puns.count { Jokes.fits(pun: $0, animal) } == 3)
      #expect(Jokes.adjectives.count { $0.first == animal.first } == 2)
    }
  }

  @Test("the taste is bounded above, and not below")
  func bounds() {
    #expect(taste.funny.count == 12)
    var most = -Double.infinity
    var random = SplitMix64(seed: 5)
    for i in 0..<4_000 {
      let joke = JokeWriters().joke(seed: 2, index: i)
      most = max(most, taste.worth(joke.text, about: joke.animal))
      let heap = (0..<random.within(1...40)).map { _ in random.pick(Jokes.vocabulary) }
      #expect(
        taste.worth(heap.joined(separator: " "), about: joke.animal) <= HiddenTaste.best)
    }
    #expect(most > 2 && most <= HiddenTaste.best)
    let nonsense = Array(repeating: "catty", count: 200).joined(separator: " ")
    #expect(taste.worth(nonsense, about: "cat") < -100)
  }

  @Test("each part counts what it says")
  func parts() throws {
    let verb = try #require(Jokes.verbs.first { !taste.funny.contains($0) })
    let funny = try #require(Jokes.things.first { taste.funny.contains($0) })
    let dull = try #require(["cold", "cute"].first { !taste.funny.contains($0) })
    let plain = taste.parts("why did the cat \(verb) the \(funny) ? it was \(dull) and batty !", about: "cat")
    #expect(plain.form == 1 && plain.pun == 0 && plain.alliteration == 0.5 && plain.funny == 0.5)
    #expect(plain.repetition == 0 && plain.length == 0)
    let long = taste.parts(
      "why did the cat \(verb) the \(funny) ? it was \(dull) and catty and catty and catty !",
      about: "cat")
    #expect(long.form == 1 && long.pun == 1 && abs(long.repetition + 1.2) < 1e-12)
    #expect(abs(long.length + 0.2) < 1e-12)
    #expect(taste.parts("catty", about: "cat").form == -1)
  }

  @Test("people order by the taste, not quite always")
  func raters() {
    let raters = Raters(sharpness: 2, careless: 0)
    var random = SplitMix64(seed: 9)
    let wins = (0..<4_000).count { _ in raters.prefers(1, to: 0.5, &random) }
    // σ(2 · 0.5) = 0.731.
    #expect(abs(Double(wins) / 4_000 - 0.731) < 0.03)
    let blind = Raters(sharpness: 2, careless: 1)
    let blindWins = (0..<4_000).count { _ in blind.prefers(5, to: 0, &random) }
    #expect(abs(Double(blindWins) / 4_000 - 0.5) < 0.03)
    #expect(raters.order([0, 3, 1, 2, 4], &random).sorted() == [0, 1, 2, 3, 4])
  }
}
