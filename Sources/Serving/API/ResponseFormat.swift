import Generation
import TemplateLanguage

/// What an answer is held to by `response_format`, or by llama.cpp's `json_schema`; nil for nothing.
func answerConstraint(_ fields: Fields, _ model: ServedModel) throws -> (any TokenConstraint)? {
  if let schema = fields["json_schema"] {
    return try schemaConstraint(schema, model, param: "json_schema")
  }
  guard let format = try fields.object("response_format") else { return nil }
  return try formatConstraint(format, model, param: "response_format")
}

/// - Parameter format: an object with a type, and for `json_schema` the schema in an object of that
///   name, or beside the type as /v1/responses has it.
func formatConstraint(_ format: Fields, _ model: ServedModel, param: String) throws
  -> (any TokenConstraint)?
{
  switch try format.string("type", limit: 64) {
  case "text": return nil
  case "json_object":
    guard let schema = format["schema"] else {
      return JSONConstraint(.object, model.trie, ends: model.format.ends)
    }
    return try schemaConstraint(schema, model, param: param)
  case "json_schema":
    let inner = try format.object("json_schema") ?? format
    guard let schema = inner["schema"] else { throw inner.wrong("schema", "is missing") }
    return try schemaConstraint(schema, model, param: param)
  default: throw format.wrong("type", "must be 'text', 'json_object' or 'json_schema'")
  }
}

/// Holds an answer to a schema; one that cannot be enforced is an error that names why.
func schemaConstraint(_ schema: JSONValue, _ model: ServedModel, param: String) throws
  -> any TokenConstraint
{
  do {
    return JSONConstraint(
      try JSONSchema(schema.text), model.trie, ends: model.format.ends)
  } catch let error as GenerationError {
    throw APIError(
      .badRequest, error.description.prefix(1).uppercased() + error.description.dropFirst() + ".",
      param: param, code: "invalid_json_schema")
  }
}

/// Holds the arguments of a call to what the tool says of them, or, where that cannot be enforced, to
/// be an object: OpenAI's API promises no more.
func argumentConstraint(_ schema: JSONValue, _ model: ServedModel) -> any TokenConstraint {
  let schema = (try? JSONSchema(schema.text)) ?? .object
  return JSONConstraint(schema, model.trie, ends: model.format.ends)
}
