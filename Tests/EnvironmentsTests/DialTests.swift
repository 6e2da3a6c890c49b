import Testing

@testable import Environments

@Suite("Dial")
struct DialTests {
  @Test("every operation is a bijection of the digits")
  func bijections() {
    for operation in DialOperation.all {
      #expect(Set((0..<10).map(operation.apply)).count == 10, "\(operation.text)")
    }
  }

  @Test("values follow the operations; a draw keeps to its portion")
  func problems() {
    for index in 0..<500 {
      let problem = DialProblem.draw(.test, operations: 1...8, seed: 1, stream: "t", index: index)
      #expect(problem.portion == .test || problem.operations.count < 3)
      #expect(problem.values.count == problem.operations.count + 1)
      #expect(problem.values.first == problem.start && problem.values.last == problem.answer)
      for (i, operation) in problem.operations.enumerated() {
        #expect(problem.values[i + 1] == operation.apply(problem.values[i]))
      }
      let train = DialProblem.draw(.train, operations: 3...8, seed: 1, stream: "t", index: index)
      #expect(train.portion == .train)
    }
  }

  @Test("all answers are equally likely")
  func balance() {
    let answers = (0..<5_000).map {
      DialProblem.draw(.train, operations: 8...8, seed: 2, stream: "u", index: $0).answer
    }
    for digit in 0..<10 { #expect(abs(answers.count { $0 == digit } - 500) < 110) }
  }

  @Test("distinct problems are distinct, and all there are of one operation")
  func distinct() {
    for count in 1...8 {
      let problems = DialProblem.distinct(200, .test, operations: count, seed: 3, stream: "d")
      #expect(Set(problems.map(\.text)).count == problems.count)
      #expect(problems.count == (count == 1 ? 120 : 200))
      #expect(problems.allSatisfy { $0.operations.count == count })
    }
  }
}
