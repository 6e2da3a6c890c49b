import TensorCore

@testable import LanguageModel

extension Transformer {
  /// The gradients in the form of ``namedTensors()``; zeros where there is none.
  func namedGradients() -> [NamedTensor] {
    parameters.flatMap { parameter in
      let zeros = Buffer(parameter.tensor.count, zeroed: true)
      return named(parameter, values: (parameter.tensor.gradient ?? zeros).reading)
    }
  }
}
