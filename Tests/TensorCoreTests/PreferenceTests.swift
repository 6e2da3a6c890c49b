import TensorCore
import TestSupport
import Testing

@Suite("Operations of a reward model")
struct PreferenceTests {
  private func leaf(_ shape: [Int], seed: UInt64) -> Tensor {
    var random = TestRandom(seed: seed)
    return Tensor(
      shape, buffer: Buffer(random.normals(shape.reduce(1, *))), wantsGradient: true)
  }

  private let groups: [Int32] = [0, 0, -1, 2, 2, 2, 0]
  private let pairs = [
    ScorePair(better: 0, worse: 2), ScorePair(better: 2, worse: 1, weight: 0.5),
    ScorePair(better: 1, worse: 2, weight: 0.5),
  ]

  @Test("the mean of a group is that of its rows; no rows give zero")
  func means() {
    let x = Tensor([4, 2], [1, 2, 3, 4, 5, 6, 7, 8])
    let out = x.groupMeans([1, -1, 1, 1], count: 3)
    #expect(out.shape == [3, 2])
    #expect(relativeError(out.array, [0, 0, 13.0 / 3, 16.0 / 3, 0, 0]) < 1e-6)
    #expect(x.groupSums([0, 0, -1, -1], weights: [0.5]).array == [2, 3])
  }

  @Test("the loss is log(1 + e^−margin), at any margin")
  func loss() {
    let s = Tensor([3, 1], [2, 0, 200])
    let one = s.pairLogistic([ScorePair(better: 0, worse: 1)], normaliser: 1).item
    #expect(abs(one - 0.126928) < 1e-5)
    #expect(s.pairLogistic([ScorePair(better: 2, worse: 1)], normaliser: 1).item < 1e-20)
    #expect(abs(s.pairLogistic([ScorePair(better: 1, worse: 2)], normaliser: 2).item - 100) < 1e-4)
  }

  @Test("gradients of pooling, head and loss are those of differences", arguments: [true, false])
  func gradients(isMean: Bool) {
    let (x, head) = (leaf([7, 4], seed: 1), leaf([1, 4], seed: 2))
    func loss(_ x: Tensor, _ head: Tensor) -> Tensor {
      let pooled =
        isMean ? x.groupMeans(groups, count: 3) : x.groupSums(groups, weights: [1, 0.5, 0.25])
      return pooled.linear(head).pairLogistic(pairs, normaliser: 2)
    }
    loss(x, head).backward()
    for (i, input) in [x, head].enumerated() {
      let numeric = input.array.indices.map { at -> Double in
        func moved(_ by: Float) -> Double {
          var values = input.array
          values[at] += by
          let other = Tensor(input.shape, values)
          return Double((i == 0 ? loss(other, head) : loss(x, other)).item)
        }
        return (moved(1e-2) - moved(-1e-2)) / 2e-2
      }
      #expect(relativeError(input.gradient.map { Array($0.values) } ?? [], numeric) < 5e-3)
    }
  }
}
