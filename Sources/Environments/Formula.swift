/// A main-group element. The number of valence electrons is that of its group.
public struct Element: Sendable, Equatable {
  public let symbol: String
  public let name: String
  /// Atomic number.
  public let number: Int
  public let valence: Int

  public static let all: [Element] = [
    Element(symbol: "H", name: "hydrogen", number: 1, valence: 1),
    Element(symbol: "Li", name: "lithium", number: 3, valence: 1),
    Element(symbol: "Be", name: "beryllium", number: 4, valence: 2),
    Element(symbol: "B", name: "boron", number: 5, valence: 3),
    Element(symbol: "C", name: "carbon", number: 6, valence: 4),
    Element(symbol: "N", name: "nitrogen", number: 7, valence: 5),
    Element(symbol: "O", name: "oxygen", number: 8, valence: 6),
    Element(symbol: "F", name: "fluorine", number: 9, valence: 7),
    Element(symbol: "Na", name: "sodium", number: 11, valence: 1),
    Element(symbol: "Mg", name: "magnesium", number: 12, valence: 2),
    Element(symbol: "Al", name: "aluminium", number: 13, valence: 3),
    Element(symbol: "Si", name: "silicon", number: 14, valence: 4),
    Element(symbol: "P", name: "phosphorus", number: 15, valence: 5),
    Element(symbol: "S", name: "sulfur", number: 16, valence: 6),
    Element(symbol: "Cl", name: "chlorine", number: 17, valence: 7),
    Element(symbol: "K", name: "potassium", number: 19, valence: 1),
    Element(symbol: "Ca", name: "calcium", number: 20, valence: 2),
    Element(symbol: "As", name: "arsenic", number: 33, valence: 5),
    Element(symbol: "Se", name: "selenium", number: 34, valence: 6),
    Element(symbol: "Br", name: "bromine", number: 35, valence: 7),
    Element(symbol: "I", name: "iodine", number: 53, valence: 7),
  ]
}

/// Atoms in the order they are written: C2H6O.
public struct Formula: Sendable, Equatable {
  /// Atoms of one element: H6.
  public struct Part: Sendable, Equatable {
    public let element: Element
    public let count: Int
  }

  public let parts: [Part]

  public var text: String {
    parts.map { $0.element.symbol + ($0.count > 1 ? String($0.count) : "") }.joined()
  }

  /// Valence electrons of all atoms: the first step of drawing a Lewis structure.
  public var valenceElectrons: Int { parts.reduce(0) { $0 + $1.element.valence * $1.count } }

  /// The same for every order of the parts.
  public var key: String {
    parts.map { "\($0.element.symbol)\($0.count)" }.sorted().joined(separator: " ")
  }

  /// Which part of the data the formula belongs to: decided by its key before anything is written.
  public var portion: Portion {
    switch stableHash("formula " + key) % 10 {
    case 0: .test
    case 1: .validation
    default: .train
    }
  }
}

/// Where an item may be used.
public enum Portion: String, Sendable, Codable { case train, validation, test }

/// Formulas of some size.
public struct FormulaSpace: Sendable, Equatable, Codable {
  /// How many different elements.
  public var elements: ClosedRange<Int>
  /// How many atoms of each.
  public var counts: ClosedRange<Int>

  public init(elements: ClosedRange<Int>, counts: ClosedRange<Int>) {
    precondition(elements.lowerBound >= 1 && elements.upperBound <= Element.all.count, "elements")
    (self.elements, self.counts) = (elements, counts)
  }

  /// A formula of this space, of any portion.
  public func sample(_ random: inout SplitMix64) -> Formula {
    var symbols = Element.all
    random.shuffle(&symbols)
    return Formula(
      parts: symbols.prefix(random.within(elements)).map {
        Formula.Part(element: $0, count: random.within(counts))
      })
  }

  /// The `index`-th formula of a stream, from one portion only.
  public func formula(_ portion: Portion, seed: UInt64, stream: String, index: Int) -> Formula {
    var random = SplitMix64(seed: seed, stream: stream, index: index)
    while true {
      let formula = sample(&random)
      if formula.portion == portion { return formula }
    }
  }

  /// `count` formulas of one portion, no two with the same key.
  public func distinct(_ count: Int, _ portion: Portion, seed: UInt64, stream: String) -> [Formula]
  {
    var random = SplitMix64(seed: seed, stream: stream)
    var seen: Set<String> = []
    var formulas: [Formula] = []
    while formulas.count < count {
      let formula = sample(&random)
      if formula.portion == portion, seen.insert(formula.key).inserted { formulas.append(formula) }
    }
    return formulas
  }
}
