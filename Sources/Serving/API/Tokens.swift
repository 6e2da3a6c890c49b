import Foundation
import Hummingbird
import TemplateLanguage
import Tokenization

// What has to do with tokens alone: no parameters are loaded for it.

/// A token as the pages know it.
struct TokenLine: Encodable, Sendable {
  var id: Int32
  var text: String
  var bytes: [UInt8]
  var special: Bool

  init(_ id: Int32, _ tokenizer: Tokenizer) {
    self.id = id
    bytes = tokenizer.bytes(of: id)
    text = String(decoding: bytes, as: UTF8.self)
    special = tokenizer.isSpecial(id)
  }
}

extension Endpoints {
  var tokens: [Route] {
    let both: [(String, @Sendable (Call) async throws -> Response)] = [
      ("/tokenize", { try await tokenize($0) }), ("/detokenize", { try await detokenize($0) }),
      ("/apply-template", { try await applyTemplate($0) }),
    ]
    return both.flatMap { path, answer in
      [path, "/v1" + path].map { Route(method: .post, path: $0, answer: answer) }
    }
      + ["/tokenizer_info", "/v1/tokenizer_info"].map { path in
        Route(method: .get, path: path) { try await tokenizerInfo($0) }
      } + [
        Route(method: .post, path: "/api/merges") { try await merges($0) },
        Route(method: .get, path: "/api/vocabulary") { try await vocabulary($0) },
      ]
  }

  /// The model that a request names; the only one there is, where it names none.
  private func description(_ id: String?) async throws -> ModelDescription {
    if let id, !id.isEmpty { return try await pool.description(id) }
    let entries = await pool.models()
    guard let first = entries.first else {
      throw APIError(.notFound, "No model is served.", code: "model_not_found")
    }
    guard entries.count == 1 else {
      throw APIError.invalid(
        "model", "Name a model: GET /v1/models lists them.", code: "missing_required_parameter")
    }
    return try await pool.description(of: first)
  }

  private func description(of fields: Fields) async throws -> ModelDescription {
    try await description(try fields.string("model", limit: 512))
  }

  /// The tokens of `text`, after what begins every text where `opens` says so.
  private static func tokens(
    _ text: String, _ format: ChatFormat, opens: Bool, parsesSpecials: Bool
  ) -> [Int32] {
    (opens ? format.opening : [])
      + (parsesSpecials
        ? format.tokenizer.encode(text, allowing: Set(format.tokenizer.specials))
        : format.tokenizer.encode(text))
  }

  /// llama.cpp's form has `content` and answers objects, vLLM's `prompt` and answers ids.
  private func tokenize(_ call: Call) async throws -> Response {
    struct Lines: Encodable {
      var tokens: [TokenLine]
      var count: Int
      var prompt: String?
    }
    struct Pieces: Encodable {
      struct Piece: Encodable {
        var id: Int32
        var piece: String?
        var bytes: [UInt8]?

        func encode(to encoder: any Encoder) throws {
          var box = encoder.container(keyedBy: CodingKeys.self)
          try box.encode(id, forKey: .id)
          if let piece { try box.encode(piece, forKey: .piece) }
          if let bytes { try box.encode(bytes, forKey: .piece) }
        }
        private enum CodingKeys: String, CodingKey { case id, piece }
      }
      var tokens: [Piece]
    }
    struct Plain: Encodable {
      var tokens: [Int32]
      var count: Int
      var max_model_len: Int
    }
    let fields = try call.fields()
    let known = try await description(of: fields)
    let parses = try fields.bool("parse_special") ?? false
    let ids: [Int32]
    if fields.has("messages") {
      ids = try conversation(fields, known)
    } else if let text = try fields.string("content", limit: settings.bodyBytes) {
      let opens = try fields.bool("add_special") ?? false
      ids = Self.tokens(text, known.format, opens: opens, parsesSpecials: parses)
    } else if let text = try fields.string("prompt", limit: settings.bodyBytes) {
      let opens = try fields.bool("add_special_tokens") ?? true
      ids = Self.tokens(text, known.format, opens: opens, parsesSpecials: parses)
      return try reply(
        Plain(tokens: ids, count: ids.count, max_model_len: known.config.context))
    } else {
      throw APIError.invalid(
        "content", "Give content, prompt or messages.", code: "missing_required_parameter")
    }
    if let pieces = try fields.bool("with_pieces") {
      guard pieces else {
        return try reply(Plain(tokens: ids, count: ids.count, max_model_len: known.config.context))
      }
      return try reply(
        Pieces(
          tokens: ids.map { id in
            let bytes = known.tokenizer.bytes(of: id)
            let text = String(validating: bytes, as: UTF8.self)
            return Pieces.Piece(id: id, piece: text, bytes: text == nil ? bytes : nil)
          }))
    }
    return try reply(
      Lines(tokens: ids.map { TokenLine($0, known.tokenizer) }, count: ids.count))
  }

  private func detokenize(_ call: Call) async throws -> Response {
    struct Text: Encodable {
      var content: String
      var prompt: String
    }
    let fields = try call.fields()
    let known = try await description(of: fields)
    guard let ids = try fields.tokens("tokens") else {
      throw APIError.invalid(
        "tokens", "Give tokens: a list of ids.", code: "missing_required_parameter")
    }
    let size = Int32(known.tokenizer.vocabularySize)
    if let odd = ids.first(where: { $0 >= size }) {
      throw fields.wrong("tokens", "has \(odd), which is not one of the \(size) tokens")
    }
    let text = known.tokenizer.decode(ids)
    return try reply(Text(content: text, prompt: text))
  }

  /// The tokens of a conversation.
  private func conversation(_ fields: Fields, _ known: ModelDescription) throws -> [Int32] {
    let chat = try ChatMessages(fields)
    if let problem = known.format.problem(with: chat.messages) {
      throw APIError.invalid("messages", problem)
    }
    let asks = try fields.bool("add_generation_prompt") ?? true
    let tools = try fields.list("tools", limit: 128).map { [("tools", JSONValue.array($0))] } ?? []
    let extra = tools + (fields["chat_template_kwargs"]?.members ?? [])
    do {
      if let prefill = chat.prefill, asks {
        return try known.format.prompt(chat.messages, extra: extra)
          + known.tokenizer.encode(prefill)
      }
      if asks { return try known.format.prompt(chat.messages, extra: extra) }
      let said = chat.prefill.map { [Message(role: .assistant, content: $0)] } ?? []
      return try known.format.render(chat.messages + said).tokens
    } catch let error as APIError {
      throw error
    } catch {
      throw APIError(
        .badRequest, "The conversation cannot be rendered: \(error)", param: "messages",
        code: "model_cannot_chat")
    }
  }

  private func applyTemplate(_ call: Call) async throws -> Response {
    struct Rendered: Encodable {
      var prompt: String
      var tokens: [TokenLine]
    }
    let fields = try call.fields()
    let known = try await description(of: fields)
    let ids = try conversation(fields, known)
    return try reply(
      Rendered(
        prompt: known.tokenizer.decode(ids), tokens: ids.map { TokenLine($0, known.tokenizer) }))
  }

  private func tokenizerInfo(_ call: Call) async throws -> Response {
    struct Special: Encodable {
      var id: Int32
      var text: String
    }
    struct Info: Encodable {
      var model: String
      var kind: String
      var vocabulary: Int
      var tokenizer: String
      var special: [Special]
      @Nullable var pattern: String?
      var add_bos: Bool
      @Nullable var bos_token: String?
      @Nullable var eos_token: String?
      @Nullable var pad_token: String?
      @Nullable var chat_template: String?
    }
    let known = try await description(call.query["model"])
    let (tokenizer, markers) = (known.tokenizer, known.tokenizer.markers)
    func name(_ id: Int32?) -> String? { id.flatMap { tokenizer.specialName($0) } }
    return try reply(
      Info(
        model: known.id, kind: tokenizer.preTokenizer == nil ? "characters" : "bytes",
        vocabulary: tokenizer.vocabularySize, tokenizer: known.tokenizerHash,
        special: tokenizer.specials.compactMap { text in
          tokenizer.id(ofSpecial: text).map { Special(id: $0, text: text) }
        }, pattern: tokenizer.preTokenizer?.pattern, add_bos: !known.format.opening.isEmpty,
        bos_token: name(known.format.own?.bos ?? markers.bos),
        eos_token: name(known.format.own?.end ?? markers.eos), pad_token: name(markers.padding),
        chat_template: known.kind == .chat ? known.format.source : nil))
  }

  private func merges(_ call: Call) async throws -> Response {
    struct Piece: Encodable {
      var text: String
      var steps: [[Int32]]
    }
    struct Pieces: Encodable { var pieces: [Piece] }
    let fields = try call.fields()
    let known = try await description(of: fields)
    guard let text = try fields.string("text", limit: 4096) else {
      throw APIError.invalid("text", "Give a text.", code: "missing_required_parameter")
    }
    return try reply(
      Pieces(
        pieces: known.tokenizer.replay(text).map { Piece(text: $0.text, steps: $0.steps) }))
  }

  private func vocabulary(_ call: Call) async throws -> Response {
    struct Page: Encodable {
      var total: Int
      var entries: [TokenLine]
    }
    func number(_ name: String, _ usual: Int, _ most: Int) throws -> Int {
      guard let text = call.query[name], !text.isEmpty else { return usual }
      guard let value = Int(text), (0...most).contains(value) else {
        throw APIError.invalid(name, "\(name) must be a whole number from 0 to \(most).")
      }
      return value
    }
    let known = try await description(call.query["model"])
    let (offset, limit) = (try number("offset", 0, 1 << 24), try number("limit", 100, 1000))
    let wanted = Self.bytes(ofQuery: call.query["q"] ?? "")
    let tokenizer = known.tokenizer
    let all = 0..<Int32(tokenizer.vocabularySize)
    let found =
      wanted.isEmpty
      ? Array(all) : all.filter { tokenizer.bytes(of: $0).firstRange(of: wanted) != nil }
    return try reply(
      Page(
        total: found.count,
        entries: found.dropFirst(offset).prefix(limit).map { TokenLine($0, tokenizer) }))
  }

  /// The bytes of a search: text, in which `\xNN` stands for a byte.
  static func bytes(ofQuery text: String) -> [UInt8] {
    let parts = text.components(separatedBy: "\\x")
    var out = Array(parts[0].utf8)
    for part in parts.dropFirst() {
      if let byte = UInt8(part.prefix(2), radix: 16), part.prefix(2).count == 2 {
        out.append(byte)
        out += part.dropFirst(2).utf8
      } else {
        out += ("\\x" + part).utf8
      }
    }
    return out
  }
}
