/// Functions that every template has.
enum Builtins {
  static var functions: [(String, Value)] {
    [
      function("range") { arguments, renderer in
        let bounds = try arguments.positional.map { value in
          guard let number = value.integer, number.magnitude < 1 << 40 else {
            throw TemplateError.raised("range takes whole numbers")
          }
          return number
        }
        guard (1...3).contains(bounds.count), bounds.count < 3 || bounds[2] != 0 else {
          throw TemplateError.raised("range takes one to three whole numbers, no step of 0")
        }
        let (from, to) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
        let step = bounds.count == 3 ? bounds[2] : 1
        let size = (to - from) / step
        guard size <= renderer.limits.elements else {
          throw TemplateError.limit(what: "makes a range of \(size) elements")
        }
        return try renderer.checked(stride(from: from, to: to, by: step).map { .int($0) })
      },
      function("namespace") { arguments, renderer in
        var fields = Value.Fields()
        if case .map(let given)? = arguments.positional.first { fields = given }
        for (name, value) in arguments.named { fields[name] = value }
        try renderer.wrap(fields.values)
        return .namespace(Value.Namespace(fields))
      },
      function("dict") { arguments, renderer in
        var fields = Value.Fields()
        if case .map(let given)? = arguments.positional.first { fields = given }
        for (name, value) in arguments.named { fields[name] = value }
        try renderer.wrap(fields.values)
        return .map(fields)
      },
      function("raise_exception") { arguments, renderer in
        let message = try renderer.spelled(arguments.positional.first ?? .none).string
        throw TemplateError.raised(message)
      },
      function("strftime_now") { arguments, renderer in
        guard let clock = renderer.clock, case .text(let format)? = arguments.positional.first
        else {
          throw TemplateError.raised("it asks for the time, and no clock was given")
        }
        return try renderer.checked(Text(clock.formatted(format.string)))
      },
    ]
  }

  private static func function(
    _ name: String, _ body: @escaping (Value.Arguments, Renderer) throws -> Value
  ) -> (String, Value) { (name, .function(Value.Function(name, body))) }

  /// `x` to the power of `y`, for whole `y`; other powers have no use in a template.
  static func power(_ x: Double, _ y: Double) -> Double {
    guard y == y.rounded(), abs(y) <= 1024 else { return .nan }
    var result = 1.0
    for _ in 0..<Int(abs(y)) { result *= x }
    return y < 0 ? 1 / result : result
  }
}

/// A moment, as `strftime_now` writes it.
public struct TemplateClock: Sendable {
  public var year: Int
  public var month: Int
  public var day: Int
  public var hour: Int
  public var minute: Int
  public var second: Int

  public init(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0
  ) {
    (self.year, self.month, self.day) = (year, month, day)
    (self.hour, self.minute, self.second) = (hour, minute, second)
  }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  private static let days = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]

  /// Sunday is 0 (Zeller's congruence).
  private var weekday: Int {
    let (m, y) = month < 3 ? (month + 12, year - 1) : (month, year)
    let h = (day + 13 * (m + 1) / 5 + y + y / 4 - y / 100 + y / 400) % 7
    return (h + 6) % 7
  }

  private var dayOfYear: Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return lengths.prefix(max(0, month - 1)).reduce(day, +)
  }

  func formatted(_ format: String) -> String {
    func padded(_ number: Int, _ digits: Int, _ pads: Bool) -> String {
      let text = String(number)
      return pads ? String(repeating: "0", count: max(0, digits - text.count)) + text : text
    }
    var out = ""
    var rest = Substring(format)
    while let character = rest.popFirst() {
      guard character == "%", var code = rest.popFirst() else {
        out.append(character)
        continue
      }
      let pads = code != "-"
      if !pads {
        guard let next = rest.popFirst() else { return out + "%-" }
        code = next
      }
      let month = Self.months[min(12, max(1, month)) - 1]
      switch code {
      case "Y": out += padded(year, 4, true)
      case "y": out += padded(year % 100, 2, pads)
      case "m": out += padded(self.month, 2, pads)
      case "d": out += padded(day, 2, pads)
      case "e": out += (day < 10 ? " " : "") + String(day)
      case "H": out += padded(hour, 2, pads)
      case "I": out += padded((hour + 11) % 12 + 1, 2, pads)
      case "M": out += padded(minute, 2, pads)
      case "S": out += padded(second, 2, pads)
      case "j": out += padded(dayOfYear, 3, pads)
      case "p": out += hour < 12 ? "AM" : "PM"
      case "B": out += month
      case "b", "h": out += month.prefix(3)
      case "A": out += Self.days[weekday]
      case "a": out += Self.days[weekday].prefix(3)
      case "F": out += formatted("%Y-%m-%d")
      case "T": out += formatted("%H:%M:%S")
      case "%": out += "%"
      default: out += (pads ? "%" : "%-") + String(code)
      }
    }
    return out
  }
}
