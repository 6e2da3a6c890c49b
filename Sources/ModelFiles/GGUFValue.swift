import Foundation

/// A value of a GGUF key.
enum GGUFValue: Sendable, Equatable {
  case unsigned(UInt64)
  case signed(Int64)
  case number(Double)
  case bool(Bool)
  case string(String)
  case array(GGUFArray)

  enum Kind: UInt32, Sendable {
    case uint8 = 0
    case int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

    /// Bytes of a value; 0 where values differ.
    var size: Int {
      switch self {
      case .uint8, .int8, .bool: 1
      case .uint16, .int16: 2
      case .uint32, .int32, .float32: 4
      case .uint64, .int64, .float64: 8
      case .string, .array: 0
      }
    }
  }

  /// For messages.
  var kind: String {
    switch self {
    case .unsigned, .signed: "a whole number"
    case .number: "a number"
    case .bool: "true or false"
    case .string: "a text"
    case .array: "a list"
    }
  }
}

/// A list that stays in the file until it is asked for.
struct GGUFArray: Sendable, Equatable {
  let kind: GGUFValue.Kind
  let count: Int
  let range: Range<Int>
}

extension GGUFFile {
  /// The value of a key as a whole number; nil where the file does not have the key.
  public func integer(_ key: String) throws -> Int? {
    guard let value = values[ByteName(key)] else { return nil }
    switch value {
    case .unsigned(let value): if let number = Int(exactly: value) { return number }
    case .signed(let value): if let number = Int(exactly: value) { return number }
    default: break
    }
    throw wrong(key, value, "a whole number")
  }

  public func number(_ key: String) throws -> Double? {
    guard let value = values[ByteName(key)] else { return nil }
    switch value {
    case .unsigned(let value): return Double(value)
    case .signed(let value): return Double(value)
    case .number(let value): return value
    default: throw wrong(key, value, "a number")
    }
  }

  public func bool(_ key: String) throws -> Bool? {
    guard let value = values[ByteName(key)] else { return nil }
    guard case .bool(let found) = value else { throw wrong(key, value, "true or false") }
    return found
  }

  public func string(_ key: String) throws -> String? {
    guard let value = values[ByteName(key)] else { return nil }
    guard case .string(let found) = value else { throw wrong(key, value, "a text") }
    return found
  }

  /// The texts of a list.
  public func strings(_ key: String) throws -> [String]? {
    guard let list = try list(key) else { return nil }
    guard list.kind == .string else { throw wrong(key, .array(list), "a list of texts") }
    var cursor = ByteCursor(UnsafeRawBufferPointer(rebasing: file.bytes[list.range]))
    var out: [String] = []
    out.reserveCapacity(list.count)
    return try withExtendedLifetime(file) {
      for index in 0..<list.count {
        let range = try cursor.skip(cursor.integer(UInt64.self))
        guard let text = String(validating: cursor.bytes[range], as: UTF8.self) else {
          throw ModelFileError("\(url.path): text \(index) of \"\(key)\" is not UTF-8")
        }
        out.append(text)
      }
      return out
    }
  }

  /// The whole numbers of a list of up to 32 bits each.
  public func integers(_ key: String) throws -> [Int32]? {
    guard let list = try list(key) else { return nil }
    return try (0..<list.count).map { index in
      var cursor = self.cursor(list, at: index)
      let value: Int32? =
        switch list.kind {
        case .int32: try cursor.integer(Int32.self)
        case .uint32: Int32(exactly: try cursor.integer(UInt32.self))
        case .int16: Int32(try cursor.integer(Int16.self))
        case .uint16: Int32(try cursor.integer(UInt16.self))
        case .int8: Int32(try cursor.integer(Int8.self))
        case .uint8: Int32(try cursor.integer(UInt8.self))
        case .int64: Int32(exactly: try cursor.integer(Int64.self))
        case .uint64: Int32(exactly: try cursor.integer(UInt64.self))
        case .bool: try cursor.integer(UInt8.self) == 0 ? 0 : 1
        default: nil
        }
      guard let value else { throw wrong(key, .array(list), "a list of whole numbers") }
      return value
    }
  }

  /// The numbers of a list of Floats.
  public func floats(ofKey key: String) throws -> [Float]? {
    guard let list = try list(key) else { return nil }
    guard list.kind == .float32 else { throw wrong(key, .array(list), "a list of 32-bit numbers") }
    return try (0..<list.count).map { index in
      var cursor = self.cursor(list, at: index)
      return Float(bitPattern: try cursor.integer())
    }
  }

  /// Whether a key holds a list.
  public func isList(_ key: String) -> Bool {
    if case .array = values[ByteName(key)] { true } else { false }
  }

  private func cursor(_ list: GGUFArray, at index: Int) -> ByteCursor {
    let start = list.range.lowerBound + index * list.kind.size
    return ByteCursor(
      UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + list.kind.size]))
  }

  private func list(_ key: String) throws -> GGUFArray? {
    guard let value = values[ByteName(key)] else { return nil }
    guard case .array(let found) = value else { throw wrong(key, value, "a list") }
    return found
  }

  private func wrong(_ key: String, _ value: GGUFValue, _ expected: String) -> ModelFileError {
    ModelFileError(
      "\(url.path): the key \"\(shownName(key))\" should be \(expected), but is \(value.kind)"
        + (value.kind == expected ? " out of range" : ""))
  }
}
