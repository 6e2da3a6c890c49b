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

  @Test("values follow the operations, which stand to the right; splits are kept")
  func problems() {
    for index in 0..<500 {
      let problem = DialProblem.draw(.test, operations: 1...8, seed: 1, stream: "t", index: index)
      #expect(problem.portion == .test || problem.operations.count < 3)
      var value = problem.start
      for operation in problem.operations { value = operation.apply(value) }
      #expect(problem.answer == value && problem.values.count == 8)
      let empty = 8 - problem.operations.count
      #expect(problem.values.prefix(empty).allSatisfy { $0 == problem.start })
      let train = DialProblem.draw(.train, operations: 3...8, seed: 1, stream: "t", index: index)
      #expect(train.portion == .train)
    }
    let answers = (0..<5_000).map {
      DialProblem.draw(.train, operations: 8...8, seed: 2, stream: "u", index: $0).answer
    }
    for digit in 0..<10 { #expect(abs(answers.count { $0 == digit } - 500) < 110) }
  }
}
