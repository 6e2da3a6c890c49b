/// How text is cut before merging: no merge crosses a cut.
///
/// Each case is a hand-written scanner, linear on any bytes, that cuts as its `pattern` would.
public enum PreTokenizer: String, Codable, Sendable, CaseIterable {
  /// GPT-2 (Radford et al. 2019).
  case gpt2
  /// GPT-4's cl100k_base, also Llama 3's: contractions in any case, numbers in threes.
  case cl100k
  /// cl100k with every digit on its own, as Qwen does: arithmetic then sees digits, not chunks.
  case digits
  /// `digits` for chemistry: a run of ASCII element symbols, each an upper-case letter with at most
  /// one lower-case letter, is cut to its symbols, so `NaOH` is Na, O, H and `C2H6O` is C, 2, H, 6,
  /// O. A word that goes on in lower case (`Sodium`, `McDonald` from its D) stays whole; an acronym
  /// is cut to letters too, since no scanner can tell CO from USA. Punctuation never joins a word.
  case formulas
  /// GPT-4o's o200k_base: words are upper case and then lower case, with their contraction and with
  /// combining marks.
  case o200k
  /// Mistral's: o200k with every digit on its own and contractions like other words.
  case tekken
  /// SmolLM's and StarCoder's: every digit on its own, then GPT-2's rules between them.
  case smollm

  /// The equivalent regular expression, in the common ground of Oniguruma (tokenizers), fancy-regex
  /// (tiktoken) and Python's `regex`.
  public var pattern: String {
    switch self {
    case .gpt2:
      #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    case .cl100k:
      Self.contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"# + Self.rest
    case .digits:
      Self.contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + Self.rest
    case .formulas:
      Self.contractions + #"| ?[A-Z][a-z]?(?![^\P{L}A-Z])| ?\p{L}+|\p{N}"# + Self.rest
    case .o200k:
      Self.mixed + Self.contractions + "?|" + Self.upper + Self.contractions + #"?|\p{N}{1,3}"#
        + Self.restWithSlash
    case .tekken:
      Self.mixed + "|" + Self.upper + #"|\p{N}"# + Self.restWithSlash
    case .smollm:
      #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?![^\s\p{N}])|\s+"#
    }
  }

  private static let mixed =
    #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#
  private static let upper =
    #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"#
  private static let restWithSlash =
    #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
  private static let rest = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  /// Other spellings, met in published files, of the same cuts.
  private static let aliases: [String: PreTokenizer] = [
    // tiktoken's faster forms.
    #"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"#: .gpt2,
    #"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: .gpt2,
    #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"#
      + #"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"#: .cl100k,
    #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}"#
      + #"| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"#: .cl100k,
  ]

  /// The pre-tokenizer that cuts as `pattern` does, if this module has it.
  init?(pattern: String) {
    guard let known = Self.allCases.first(where: { $0.pattern == pattern }) ?? Self.aliases[pattern]
    else { return nil }
    self = known
  }

  /// What `tokenizer.ggml.pre` of a GGUF file names, and whether a whole pre-token that is a token
  /// is one, whatever the merges say. Nil for a name that is not known.
  static func named(_ pre: String) -> (cut: PreTokenizer, ignoresMerges: Bool)? {
    switch pre {
    case "gpt-2", "phi-2", "mpt", "olmo", "jais": (.gpt2, false)
    case "llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "lfm2": (.cl100k, true)
    case "dbrx", "smaug-bpe": (.cl100k, false)
    case "qwen2", "deepseek-r1-qwen", "stablelm2": (.digits, false)
    case "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone": (.smollm, false)
    case "gpt-4o", "llama4": (.o200k, false)
    case "tekken": (.tekken, true)
    default: nil
    }
  }
}
