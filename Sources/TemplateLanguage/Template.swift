/// A chat template: the part of the Jinja language that the templates of published models use, with
/// the settings of transformers (`trim_blocks`, `lstrip_blocks`, nothing escaped).
///
/// It cannot read files, reach the host or change what it is given; steps, depth and output are
/// limited.
public struct Template: Sendable {
  public let source: String
  private let statements: [Statement]

  /// What a rendering may cost.
  public struct Limits: Sendable {
    /// Expressions and statements.
    public var steps = 1_000_000
    /// Characters of any one string, the output included.
    public var characters = 4_000_000
    /// Elements of any one list.
    public var elements = 1_000_000
    /// Calls within calls, expressions within expressions.
    public var depth = 300
    /// Lists and mappings made of others.
    public var wrappings = 5_000

    public init() {}
  }

  /// Reads a template. Throws ``TemplateError`` where it is broken or uses what is not known here.
  public init(_ source: String) throws {
    self.source = source
    statements = try Parser.statements(of: source)
  }

  /// The text that the template makes of `variables`, each character with its origin.
  ///
  /// - Parameter clock: the time for `strftime_now`; it throws where there is none.
  public func render(
    _ variables: Value.Fields, clock: TemplateClock? = nil, limits: Limits = Limits()
  ) throws -> Text {
    let renderer = Renderer(limits, clock)
    defer { renderer.dispose() }
    return try renderer.render(statements, variables)
  }
}
