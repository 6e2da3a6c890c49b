import Generation
import TemplateLanguage

/// What an answer is held to by `response_format`, or by llama.cpp's `json_schema`; nil for nothing.
func answerConstraint(_ fields: Fields, _ model: ServedModel) throws -> (any TokenConstraint)? {
  if let schema = fields["json_schema"] {
    return try SchemaConstraint.make(schema, model, param: "json_schema", ignoresUnknown: false)
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
    let schema = format["schema"] ?? .object([("type", .string("object"))])
    return try SchemaConstraint.make(schema, model, param: param, ignoresUnknown: false)
  case "json_schema":
    let inner = try format.object("json_schema") ?? format
    guard let schema = inner["schema"] else {
      throw inner.wrong("schema", "is missing")
    }
    return try SchemaConstraint.make(schema, model, param: param, ignoresUnknown: false)
  default: throw format.wrong("type", "must be 'text', 'json_object' or 'json_schema'")
  }
}
