import Testing

@testable import TemplateLanguage

/// What a template writes, given variables as JSON.
private func render(_ template: String, _ variables: String = "{}") throws -> String {
  guard case .map(let fields) = Value(try JSONValue(variables.utf8), .input) else { return "" }
  let clock = TemplateClock(year: 2026, month: 11, day: 5, hour: 21, minute: 4, second: 9)
  return try Template(template).render(fields, clock: clock).string
}

@Suite("The template language, against values from jinja2 with transformers' settings")
struct TemplateTests {
  @Test(
    "white space: trim_blocks, lstrip_blocks, and the signs of tags",
    arguments: [
      ("  {% if true %}\n  x\n  {% endif %}\ny\n", "  x\ny"),
      ("a\n  {%- if true -%}  \n  b\n{%- endif %} c", "ab c"),
      ("  {{ 1 }}\n  {# c #}\n  d", "  1\n  d"),
      ("  {%+ if true %}x{% endif +%}\ny", "  x\ny"),
      ("a {{- 1 -}} b", "a1b"),
      ("{% raw %}{{ x }}{% endraw %}\n!", "{{ x }}!"),
      ("x {% set a = 1 %} y\r\nz\r", "x  y\nz"),
    ])
  func whiteSpace(template: String, expected: String) throws {
    #expect(try render(template) == expected)
  }

  @Test(
    "expressions",
    arguments: [
      ("{{ 1 + 2 * 3 ** 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }}", "19 3 -4 2 3.5"),
      ("{{ 1 ~ 'a' ~ none ~ true }}", "1aNoneTrue"),
      ("{{ 'a' if false }}|{{ 'a' if 0 else 'b' }}", "|b"),
      ("{{ 1 < 2 < 3 }} {{ 'b' in 'abc' }} {{ 4 not in [1, 2] }}", "True True True"),
      (
        "{{ [1, 'a', \"it's\", none, 1.5, (1,), {'k': [true]}] }}",
        "[1, 'a', \"it's\", None, 1.5, (1,), {'k': [True]}]"
      ),
      ("{{ 'abcdef'[1:-1] }} {{ 'abc'[::-1] }} {{ [1, 2, 3][-1] }} {{ 'abc'[5] }}", "bcde cba 3 "),
      (
        "{{ 1e20 }} {{ 1.0 }} {{ 1e15 }} {{ 0.00001 }} {{ 123456.789 }}",
        "1e+20 1.0 1000000000000000.0 1e-05 123456.789"
      ),
      ("{{ missing }}|{{ missing is defined }}|{{ missing | default('d') }}", "|False|d"),
      ("{{ 'x' * 3 }} {{ 'a' 'b' }} {{ '\\u00e9\\n' | length }}", "xxx ab 2"),
      ("{{ not true or true and false }}", "False"),
    ])
  func expressions(template: String, expected: String) throws {
    #expect(try render(template) == expected)
  }

  @Test(
    "statements",
    arguments: [
      (
        "{% for x in [1, 2, 3] if x != 2 %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% endfor %}",
        "1/2:1 2/2:3 "
      ),
      (
        "{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{{ '' if loop.last else ',' }}"
          + "{% else %}none{% endfor %}", "a1,b2"
      ),
      ("{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{% endfor %}{{ x }}", "1"),
      (
        "{% set n = namespace(x=1) %}{% for i in [1, 2] %}{% set n.x = n.x + i %}{% endfor %}"
          + "{{ n.x }}", "4"
      ),
      ("{% macro f(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ f(1) }} {{ f(1, b=3) }}", "1-2 1-3"),
      ("{% set t %}a{{ 1 }}{% endset %}{{ t | upper }}", "A1"),
      (
        "{% for i in range(5) %}{% if i == 1 %}{% continue %}{% endif %}"
          + "{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}", "02"
      ),
      ("{% filter upper %}a{% endfilter %}{% with y = 2 %}{{ y }}{% endwith %}{{ y }}", "A2"),
      ("{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}x{% endcall %}", "<x>"),
    ])
  func statements(template: String, expected: String) throws {
    #expect(try render(template) == expected)
  }

  @Test(
    "filters, tests and methods",
    arguments: [
      (
        "{{ ' a ' | trim }}|{{ 'a,b' | replace(',', ';') }}|{{ [3, 1, 2] | sort | join('-') }}",
        "a|a;b|1-2-3"
      ),
      ("{{ ms | selectattr('r', 'equalto', 'u') | map(attribute='c') | list }}", "['2']"),
      ("{{ ms | map(attribute='r') | unique | list | length }} {{ ms[0].get('z', 9) }}", "2 9"),
      ("{{ {'b': 1, 'a': 'ü<'} | tojson }}", "{\"b\": 1, \"a\": \"ü<\"}"),
      ("{{ [1, {'a': []}] | tojson(indent=2) }}", "[\n  1,\n  {\n    \"a\": []\n  }\n]"),
      ("{{ 'a<b' | e }} {{ 'x\ny' | indent(2) }}", "a&lt;b x\n  y"),
      (
        "{{ 'Hello World'.split() }} {{ 'a-b-c'.rsplit('-', 1) }} {{ 'aXb'.lower().title() }}",
        "['Hello', 'World'] ['a-b', 'c'] Axb"
      ),
      ("{{ '</think>\n\nhi'.split('</think>')[-1].lstrip('\n') }}", "hi"),
      (
        "{{ 3 is odd }} {{ 'a' is string }} {{ {} is mapping }} {{ none is none }} {{ 1 is number }}",
        "True True True True True"
      ),
      (
        "{{ 'abc'.startswith('ab') }} {{ 'abc'.endswith(('x', 'c')) }} {{ '12'.isdigit() }}",
        "True True True"
      ),
      (
        "{{ ms | first | items | list }} {{ 2.5 | round }} {{ '7' | int + 1 }}",
        "[('r', 's'), ('c', '1')] 2.0 8"
      ),
      (
        "{{ strftime_now('%d %b %Y %H:%M:%S %A %j %-d %I%p') }}",
        "05 Nov 2026 21:04:09 Thursday 309 5 09PM"
      ),
    ])
  func library(template: String, expected: String) throws {
    let messages = #"{"ms": [{"r": "s", "c": "1"}, {"r": "u", "c": "2"}]}"#
    #expect(try render(template, messages) == expected)
  }

  @Test("every character knows where it came from")
  func origins() throws {
    guard case .map(let fields) = Value(try JSONValue(#"{"x": " <end> "}"#.utf8), .input) else {
      return
    }
    let text = try Template("<end>{{ x | trim | upper }}<end>").render(fields)
    #expect(text.string == "<end><END><end>")
    let isInput = text.units.map { $0 & Text.Origin.input.rawValue != 0 }
    #expect(isInput == (0..<15).map { (5..<10).contains($0) })
  }

  @Test(
    "what is not known is named, with its line and a way out",
    arguments: [
      ("\n{% include 'x' %}", "\"include\" in line 2"), ("{{ 1 | frobnicate }}", "\"frobnicate\""),
      ("{{ 1 is frobnicated }}", "\"frobnicated\""), ("{{ open('x') }}", "function open"),
      ("{{ x.y.z }}", "x, which is undefined"), ("{{ 1 + 'a' }}", "does not apply"),
      ("{% if %}", "expected a value"), ("{{ 'a", "no end"), ("{% for x in y %}", "endfor"),
      ("{{ ''.__class__.__mro__ }}", "undefined"), ("{{ [].append(1) }}", "may not change"),
    ])
  func unknown(template: String, part: String) throws {
    let error = #expect(throws: TemplateError.self) { try render(template) }
    let sentence = error?.description ?? ""
    #expect(sentence.contains(part), "\(sentence)")
    if case .raised = error {} else { #expect(sentence.contains("--template")) }
  }

  @Test("a template that refuses a conversation is heard")
  func raised() {
    #expect(throws: TemplateError.raised("no")) { try render("{{ raise_exception('no') }}") }
  }
}

@Suite("Hostile templates")
struct HostileTemplateTests {
  private func stopped(_ template: String, _ variables: String = "{}") {
    let error = #expect(throws: TemplateError.self) { try render(template, variables) }
    if case .limit = error {} else { Issue.record("\(String(describing: error))") }
  }

  @Test("nesting, in source and at run time")
  func deep() {
    stopped(
      "{{ " + String(repeating: "(", count: 100_000) + "1" + String(repeating: ")", count: 100_000)
        + " }}")
    stopped(String(repeating: "{% if 1 %}", count: 100_000))
    stopped("{{ " + String(repeating: "not ", count: 100_000) + "1 }}")
    stopped("{{ " + String(repeating: "-", count: 100_000) + "1 }}")
    stopped("{{ x" + String(repeating: "[0]", count: 100_000) + " }}")
    stopped("{{ x" + String(repeating: "|trim", count: 100_000) + " }}")
    stopped("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}")
  }

  @Test("a sum of a hundred thousand terms is a deep tree too")
  func longSum() {
    #expect(throws: TemplateError.self) {
      try render("{{ 1" + String(repeating: " + 1", count: 100_000) + " }}")
    }
  }

  @Test("loops without end, and texts that double")
  func large() {
    stopped(
      "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}x"
        + "{% endfor %}{% endfor %}{% endfor %}")
    stopped("{{ 'a' * 1000000000000 }}")
    stopped(
      "{% set n = namespace(s='ab') %}{% for i in range(60) %}"
        + "{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}")
    stopped(
      "{% set n = namespace(s='ab') %}{% for i in range(60) %}"
        + "{% set n.s = n.s.replace('a', 'aa') %}{% endfor %}")
    stopped(
      "{% set n = namespace(s=[1]) %}{% for i in range(60) %}"
        + "{% set n.s = n.s + n.s %}{% endfor %}")
    stopped("{{ range(10000000000) | list }}")
    stopped("{{ [1] * 100000000 }}")
    stopped("{% for i in range(900000) %}{{ x }}{% endfor %}", #"{"x": "aaaaaaaaaa"}"#)
  }

  @Test("lists in lists in lists, and comparing what shares its parts")
  func nestedValues() {
    stopped(
      "{% set n = namespace(s=[1]) %}{% for i in range(900000) %}{% set n.s = [n.s] %}{% endfor %}")
    stopped(
      "{% set n = namespace(s=1) %}{% for i in range(90000) %}{% set n.s = {'a': n.s} %}{% endfor %}"
    )
    stopped(
      "{% set n = namespace(a=[1], b=[1]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}"
        + "{% set n.b = [n.b, n.b] %}{% endfor %}{{ n.a == n.b }}")
    stopped(
      "{% set n = namespace(a=[1]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% endfor %}"
        + "{{ n.a | tojson }}")
  }

  @Test("every prefix of a template is read or refused in a sentence")
  func prefixes() {
    let template = """
      {%- for m in messages if m.role != 'x' -%}{{ '<|' ~ m['role'] + "|>\\n" }}{# c #}{% if m.content
      is string and not loop.first %}{{ m.content | trim | default('', true) }}{% elif 1 %}{% endif %}
      {%- endfor %}{% macro f(a, b=[1, {'k': 2.5}]) %}{{ a[1:] }}{% endmacro %}{{ f('xy') }}
      """
    for length in 0...template.count {
      _ = try? render(String(template.prefix(length)), #"{"messages": [{"role": "a"}]}"#)
    }
  }

  @Test("numbers at their limits")
  func numbers() {
    for template in [
      "{{ 9223372036854775807 + 1 }}", "{{ -9223372036854775807 - 2 }}", "{{ 2 ** 100 }}",
      "{{ 1 // 0 }}", "{{ 1 % 0 }}", "{{ 99999999999999999999 }}", "{{ 'a'[::0] }}",
      "{{ range(1, 2, 0) }}",
    ] {
      #expect(throws: TemplateError.self) { try render(template) }
    }
    #expect(throws: Never.self) {
      try render("{{ 'abc'[-9223372036854775807:9223372036854775807] }}")
    }
  }

  @Test("JSON that is none")
  func json() {
    for text in [
      "", "{", "[1,]", "01", "1.", "\"\\x\"", "\"\\ud800\"", "nul", "{\"a\":1,}", "\"\u{1}\"",
      "1 2",
      String(repeating: "[", count: 100_000), "1e999",
    ] {
      #expect(throws: JSONValue.Failure.self) { try JSONValue(text.utf8) }
    }
  }
}
