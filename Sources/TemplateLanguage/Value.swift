/// A value of the template language.
public enum Value {
  /// What a name or a key that is not there gives, and what was looked for.
  case undefined(String)
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case text(Text)
  case list([Value])
  case tuple([Value])
  case map(Fields)
  case namespace(Namespace)
  case loop(Loop)
  case function(Function)

  public static func string(_ string: String, _ origin: Text.Origin = []) -> Value {
    .text(Text(string, origin))
  }

  /// Keys and values in the order in which they came.
  public struct Fields {
    public private(set) var keys: [Value] = []
    public private(set) var values: [Value] = []
    private var places: [Key: Int] = [:]

    /// What a key is found by: as in the reference, 1, 1.0 and true are one key.
    private enum Key: Hashable {
      case text(Text)
      case number(Double)
      case none

      init?(_ value: Value) {
        switch value {
        case .text(let text): self = .text(text)
        case .int(let number): self = .number(Double(number))
        case .float(let number): self = .number(number)
        case .bool(let flag): self = .number(flag ? 1 : 0)
        case .none: self = .none
        default: return nil
        }
      }
    }

    public init() {}

    public init(_ pairs: KeyValuePairs<String, Value>) {
      for (key, value) in pairs { self[.string(key)] = value }
    }

    var count: Int { keys.count }

    public subscript(key: Value) -> Value? {
      get { Key(key).flatMap { places[$0] }.map { values[$0] } }
      set {
        guard let newValue, let place = Key(key) else { return }
        if let at = places[place] {
          values[at] = newValue
        } else {
          places[place] = keys.count
          keys.append(key)
          values.append(newValue)
        }
      }
    }

    public subscript(name: String) -> Value? {
      get { self[.string(name)] }
      set { self[.string(name)] = newValue }
    }

    static func isKey(_ value: Value) -> Bool { Key(value) != nil }

    var pairs: [Value] { zip(keys, values).map { .tuple([$0, $1]) } }
  }

  /// The one value that a template can change.
  public final class Namespace {
    var fields: Fields
    init(_ fields: Fields) { self.fields = fields }
  }

  /// `loop` of a for.
  public final class Loop {
    let items: [Value]
    var index = 0
    let depth: Int
    var lastChecked: [Value]?
    init(_ items: [Value], depth: Int) { (self.items, self.depth) = (items, depth) }
  }

  /// Something to call: a macro, a method with its object, or a function of the host.
  public final class Function {
    let name: String
    let body: (Arguments, Renderer) throws -> Value
    init(_ name: String, _ body: @escaping (Arguments, Renderer) throws -> Value) {
      (self.name, self.body) = (name, body)
    }
  }

  struct Arguments {
    var positional: [Value] = []
    var named: [(name: String, value: Value)] = []

    subscript(_ index: Int, _ name: String) -> Value? {
      index < positional.count ? positional[index] : named.first { $0.name == name }?.value
    }
  }
}

extension Value {
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let flag): flag
    case .int(let number): number != 0
    case .float(let number): number != 0
    case .text(let text): text.count > 0
    case .list(let items), .tuple(let items): !items.isEmpty
    case .map(let fields): fields.count > 0
    case .namespace, .loop, .function: true
    }
  }

  /// What a message calls this kind of value.
  var kind: String {
    switch self {
    case .undefined(let what): "\(what), which is undefined"
    case .none: "none"
    case .bool: "a boolean"
    case .int, .float: "a number"
    case .text: "a string"
    case .list, .tuple: "a list"
    case .map: "a mapping"
    case .namespace: "a namespace"
    case .loop: "loop"
    case .function(let function): "the function \(function.name)"
    }
  }

  var number: Double? {
    switch self {
    case .bool(let flag): flag ? 1 : 0
    case .int(let number): Double(number)
    case .float(let number): number
    default: nil
    }
  }

  var integer: Int? {
    switch self {
    case .bool(let flag): flag ? 1 : 0
    case .int(let number): number
    default: nil
    }
  }

  var items: [Value]? {
    switch self {
    case .list(let items), .tuple(let items): items
    default: nil
    }
  }

  /// - Parameter budget: what comparing may still cost; where nothing is left, the result means
  ///   nothing.
  static func equal(_ a: Value, _ b: Value, _ budget: inout Int) -> Bool {
    budget -= 1
    guard budget > 0 else { return false }
    switch (a, b) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.text(let a), .text(let b)):
      guard a.count == b.count else { return false }
      budget -= a.count
      return a == b
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
      guard a.count == b.count else { return false }
      for (x, y) in zip(a, b) where !equal(x, y, &budget) { return false }
      return true
    case (.map(let a), .map(let b)):
      guard a.count == b.count else { return false }
      for (key, value) in zip(a.keys, a.values) {
        guard let other = b[key], equal(value, other, &budget) else { return false }
      }
      return true
    case (.namespace(let a), .namespace(let b)): return a === b
    case (.function(let a), .function(let b)): return a === b
    case (.int(let a), .int(let b)): return a == b
    default:
      guard let x = a.number, let y = b.number else { return false }
      return x == y
    }
  }

  /// Negative, zero or positive as `a` is before, with or after `b`; nil where they have no order.
  static func order(_ a: Value, _ b: Value, _ budget: inout Int) -> Int? {
    budget -= 1
    guard budget > 0 else { return nil }
    switch (a, b) {
    case (.text(let a), .text(let b)):
      budget -= min(a.count, b.count)
      return a == b ? 0 : a < b ? -1 : 1
    case (.int(let a), .int(let b)): return a == b ? 0 : a < b ? -1 : 1
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
      for (x, y) in zip(a, b) where !equal(x, y, &budget) { return order(x, y, &budget) }
      return a.count - b.count
    default:
      guard let x = a.number, let y = b.number else { return nil }
      return x == y ? 0 : x < y ? -1 : 1
    }
  }
}
