import Foundation
import LanguageModel

/// The decoder in Double, written from the formulas of docs/MODEL.md and from nothing else: one
/// sequence, arrays of arrays, no tricks.
struct ReferenceDecoder {
  typealias Rows = [[Double]]
  let config: DecoderConfig
  var parameters: [String: [Double]]

  init(_ model: Transformer) {
    config = model.config
    parameters = Dictionary(
      uniqueKeysWithValues: model.namedTensors().map { ($0.name, $0.values.map(Double.init)) })
  }

  private var isGPT2: Bool { config.positions == .learned }

  /// Scores (tokens, V) for one sequence, with the features of each token one after another.
  func logits(_ tokens: [Int32], features: [Float] = []) -> Rows {
    let table = isGPT2 ? "transformer.wte.weight" : "model.embed_tokens.weight"
    let embedding = matrix(table, columns: config.width)
    let scale = config.isGemma ? Double(config.width).squareRoot() : 1
    var x = tokens.map { embedding[Int($0)].map { $0 * scale } }
    if isGPT2 {
      let places = matrix("transformer.wpe.weight", columns: config.width)
      for t in x.indices { x[t] = sum(x[t], places[t]) }
    }
    if config.inputFeatures > 0 {
      let map = matrix("model.embed_features.weight", columns: config.inputFeatures)
      for t in x.indices {
        let given = (0..<config.inputFeatures).map {
          Double(features[t * config.inputFeatures + $0])
        }
        x[t] = sum(x[t], map.map { dot($0, given) })
      }
    }
    if config.normalisesEmbedding { x = norm(x, isGPT2 ? "transformer.ln_e" : "model.embed_norm") }
    for layer in 0..<config.layers {
      let prefix = isGPT2 ? "transformer.h.\(layer)." : "model.layers.\(layer)."
      let a = norm(x, prefix + (isGPT2 ? "ln_1" : "input_layernorm"))
      let attended = attention(a, prefix, layer)
      let out = linear(
        attended, prefix + (isGPT2 ? "attn.c_proj" : "self_attn.o_proj"), config.width)
      let behind = config.isGemma ? norm(out, prefix + "post_attention_layernorm") : out
      x = zip(x, behind).map(sum)
      let second = config.isGemma ? "pre_feedforward_layernorm" : "post_attention_layernorm"
      let fed = feedForward(norm(x, prefix + (isGPT2 ? "ln_2" : second)), prefix)
      x = zip(x, config.isGemma ? norm(fed, prefix + "post_feedforward_layernorm") : fed).map(sum)
    }
    x = norm(x, isGPT2 ? "transformer.ln_f" : "model.norm")
    let head = config.tiesHead ? embedding : matrix("lm_head.weight", columns: config.width)
    return x.map { row in head.map { dot(row, $0) } }
  }

  /// −Σ weight · log p / normaliser.
  func loss(
    _ sequences: [(tokens: [Int32], targets: [Int32], weights: [Float], features: [Float])],
    _ normaliser: Double
  ) -> Double {
    var total = 0.0
    for sequence in sequences {
      for (row, (target, weight)) in zip(
        logits(sequence.tokens, features: sequence.features),
        zip(sequence.targets, sequence.weights))
      {
        let top = row.max() ?? 0
        let logSum = top + log(row.reduce(0) { $0 + exp($1 - top) })
        total -= Double(weight) * (row[Int(target)] - logSum)
      }
    }
    return total / normaliser
  }

  private func attention(_ x: Rows, _ prefix: String, _ layer: Int) -> Rows {
    let (width, group) = (config.headWidth, config.heads / config.keyHeads)
    let keyWidth = config.keyHeads * width
    let queryWidth = config.heads * width
    var q: Rows
    var k: Rows
    let v: Rows
    if isGPT2 {
      let packed = linear(x, prefix + "attn.c_attn", queryWidth + 2 * keyWidth)
      q = packed.map { Array($0[0..<queryWidth]) }
      k = packed.map { Array($0[queryWidth..<queryWidth + keyWidth]) }
      v = packed.map { Array($0[(queryWidth + keyWidth)...]) }
    } else {
      q = linear(x, prefix + "self_attn.q_proj", queryWidth)
      k = linear(x, prefix + "self_attn.k_proj", keyWidth)
      v = linear(x, prefix + "self_attn.v_proj", keyWidth)
    }
    if config.normalisesHeads {
      q = normHeads(q, prefix + "self_attn.q_norm.weight")
      k = normHeads(k, prefix + "self_attn.k_norm.weight")
    }
    // Layer 1, 2, … counted from one: every `fullEvery`th sees everything.
    let window = config.window.flatMap { (layer + 1) % ($0.fullEvery ?? .max) == 0 ? nil : $0 }
    if case .rotary(let base) = config.positions {
      let frequencies = frequencies(window?.base ?? base, scaled: window?.base == nil)
      q = rotated(q, frequencies)
      k = rotated(k, frequencies)
    }
    return x.indices.map { t in
      var out = [Double](repeating: 0, count: queryWidth)
      for head in 0..<config.heads {
        let (a, b) = (head * width, head / group * width)
        let first = window.map { max(0, t - $0.length + 1) } ?? 0
        let scores = (first...t).map { s -> Double in
          let product = (0..<width).reduce(0.0) { $0 + q[t][a + $1] * k[s][b + $1] }
          return product * (config.scoreScale.map(Double.init) ?? 1 / Double(width).squareRoot())
        }
        let top = scores.max() ?? 0
        let weights = scores.map { exp($0 - top) }
        let total = weights.reduce(0, +)
        for s in first...t {
          for d in 0..<width { out[a + d] += weights[s - first] / total * v[s][b + d] }
        }
      }
      return out
    }
  }

  private func feedForward(_ x: Rows, _ prefix: String) -> Rows {
    if config.feedForward == .swiGLU || config.feedForward == .geGLU {
      let gate = linear(x, prefix + "mlp.gate_proj", config.hiddenWidth)
      let up = linear(x, prefix + "mlp.up_proj", config.hiddenWidth)
      let product = zip(gate, up).map { zip($0, $1).map { activation($0) * $1 } }
      return linear(product, prefix + "mlp.down_proj", config.width)
    }
    let raised = linear(x, prefix + (isGPT2 ? "mlp.c_fc" : "mlp.up_proj"), config.hiddenWidth)
    let activated = raised.map { $0.map(activation) }
    return linear(activated, prefix + (isGPT2 ? "mlp.c_proj" : "mlp.down_proj"), config.width)
  }

  private func activation(_ x: Double) -> Double {
    switch config.feedForward {
    case .swiGLU: x / (1 + exp(-x))
    case .gelu: 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
    case .geGLU, .geluTanh:
      0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .reluSquared: x > 0 ? x * x : 0
    }
  }

  /// What norms add to their weights.
  private var one: Double { config.isGemma ? 1 : 0 }

  private func norm(_ x: Rows, _ name: String) -> Rows {
    let weight = parameters[name + ".weight"] ?? []
    let bias = parameters[name + ".bias"]
    return x.map { row in
      let mean = bias == nil ? 0 : row.reduce(0, +) / Double(row.count)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
      let scale = 1 / (variance + Double(config.epsilon)).squareRoot()
      return row.indices.map { (row[$0] - mean) * scale * (weight[$0] + one) + (bias?[$0] ?? 0) }
    }
  }

  private func normHeads(_ x: Rows, _ name: String) -> Rows {
    let weight = parameters[name] ?? []
    let width = config.headWidth
    return x.map { row in
      stride(from: 0, to: row.count, by: width).flatMap { start in
        let head = Array(row[start..<start + width])
        let scale = 1 / (dot(head, head) / Double(width) + Double(config.epsilon)).squareRoot()
        return head.indices.map { head[$0] * scale * (weight[$0] + one) }
      }
    }
  }

  private func frequencies(_ base: Double, scaled: Bool) -> [Double] {
    (0..<config.headWidth / 2).map { i in
      let frequency = pow(base, -2 * Double(i) / Double(config.headWidth))
      guard scaled, let scaling = config.rotaryScaling else { return frequency }
      switch scaling {
      case .linear(let factor): return frequency / factor
      case .divisors(let divisors): return frequency / divisors[i]
      case .llama3(let factor, let low, let high, let context):
        let turns = context * frequency / (2 * Double.pi)
        let share = min(1, max(0, (turns - low) / (high - low)))
        return frequency * (share + (1 - share) / factor)
      }
    }
  }

  private func rotated(_ x: Rows, _ frequencies: [Double]) -> Rows {
    let half = config.headWidth / 2
    return x.enumerated().map { t, row in
      var out = row
      for start in stride(from: 0, to: row.count, by: config.headWidth) {
        for i in 0..<half {
          let angle = Double(t) * frequencies[i]
          let (a, b) = (row[start + i], row[start + half + i])
          out[start + i] = a * cos(angle) - b * sin(angle)
          out[start + half + i] = b * cos(angle) + a * sin(angle)
        }
      }
      return out
    }
  }

  private func linear(_ x: Rows, _ name: String, _ outputs: Int) -> Rows {
    let inputs = x[0].count
    let weight = parameters[name + ".weight"] ?? []
    let bias = parameters[name + ".bias"]
    return x.map { row in
      (0..<outputs).map { o -> Double in
        var total = bias?[o] ?? 0
        for i in 0..<inputs {
          total += row[i] * weight[isGPT2 ? i * outputs + o : o * inputs + i]
        }
        return total
      }
    }
  }

  private func matrix(_ name: String, columns: Int) -> Rows {
    let values = parameters[name] ?? []
    return stride(from: 0, to: values.count, by: columns).map { Array(values[$0..<$0 + columns]) }
  }

  private func sum(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map(+) }
  private func dot(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }
}
