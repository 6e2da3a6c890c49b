"""Compares our chat template interpreter with jinja2, set up as transformers does. For developers.

    python3 -m venv venv && venv/bin/pip install transformers jinja2
    venv/bin/python Scripts/check_templates.py FOLDER-OF-JINJA-FILES .build/release/lyceum tokenizer render --template

Renders 100 random conversations (system messages, tools, calls and results, odd white space, text that looks like
control tokens) with every template of the folder, by both. A template that refuses a conversation must do so in both.
"""
import datetime, json, pathlib, random, subprocess, sys
import transformers.utils.chat_template_utils as reference

folder, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
COUNT = 100
NOW = datetime.datetime(2026, 11, 5, 9, 5, 7)
WORDS = ["hello", "What's up?", "naïve", "東京", "🎉👩‍👩‍👧", "<|im_end|>", "</s>", "[INST]", "{{ 7 }}", "{% raw %}", "\\n", "\"quoted\"", "it's",
    "a\nb", "\n\n", "  ", "\t", "1.5", "<think>", "</think>", "&lt;", "<tool_call>", "\u00a0", "\u2028", "e\u0301"]
TOOLS = [
    {"type": "function", "function": {"name": "weather", "description": "The weather of a \"city\"\nnow", "parameters": {"type": "object",
        "properties": {"city": {"type": "string", "description": "A city, e.g. Zürich"}, "unit": {"type": "string", "enum": ["C", "F"]}},
        "required": ["city"]}}},
    {"type": "function", "function": {"name": "add", "description": "Adds", "parameters": {"type": "object", "properties": {
        "a": {"type": "number", "description": "x"}, "b": {"type": "number", "description": "y", "default": 1.5}}, "required": ["a", "b"]}}},
    {"type": "function", "function": {"name": "noargs", "description": "<none>", "parameters": {"type": "object", "properties": {}}}},
]


def text(rng):
    return rng.choice(["", "", " "]) + " ".join(rng.choices(WORDS, k=rng.randint(1, 6))) + rng.choice(["", "", "\n"])


def conversation(rng, i):
    messages = []
    if rng.random() < 0.5:
        messages.append({"role": "system", "content": text(rng)})
    tools = rng.random() < 0.4
    for _ in range(rng.randint(1, 4)):
        messages.append({"role": "user", "content": text(rng)})
        if tools and rng.random() < 0.5:
            calls = [{"id": f"call{rng.randrange(10**5):05d}", "type": "function", "function": {"name": t["function"]["name"],
                "arguments": {"city": "Bern\n", "a": 1, "b": 2.50, "n": None, "t": [True, 1e20]}}}
                for t in rng.sample(TOOLS, rng.randint(1, 2))]
            messages.append({"role": "assistant", "content": rng.choice(["", text(rng)]), "tool_calls": calls})
            for call in calls:
                messages.append({"role": "tool", "name": call["function"]["name"], "tool_call_id": call["id"], "content": text(rng)})
        answer = {"role": "assistant", "content": text(rng)}
        if rng.random() < 0.2:
            answer["content"] = "<think>\n" + text(rng) + "\n</think>\n\n" + text(rng)
        messages.append(answer)
    ask = rng.random() < 0.6
    if ask:
        messages.append({"role": "user", "content": text(rng)})
    request = {"messages": messages, "add_generation_prompt": ask, "bos_token": "<s>", "eos_token": "</s>", "documents": None,
        "tools": rng.sample(TOOLS, rng.randint(1, 3)) if tools else None}
    if rng.random() < 0.3:
        request["enable_thinking"] = rng.random() < 0.5
    if rng.random() < 0.2:
        request["date_string"] = "5 Nov 2026"
    return request


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


reference.datetime = Clock
compiled = reference._compile_jinja_template
total = wrong = 0
for path in sorted(folder.glob("*.jinja")):
    rng = random.Random(path.name)
    source = path.read_text(encoding="utf-8")
    requests = [conversation(rng, i) for i in range(COUNT)]
    run = subprocess.run(command + [str(path)], input="".join(json.dumps(r) + "\n" for r in requests), capture_output=True, text=True)
    ours = [json.loads(line) for line in run.stdout.split("\n") if line]
    try:
        template = compiled(source)
    except Exception as error:
        print(f"{path.name}: the reference refuses it ({error}); ours: {str(ours[:1])[:120]}")
        continue
    differ = refused = 0
    example = ""
    for i, request in enumerate(requests):
        try:
            expected = template.render(**request)
        except Exception as error:
            expected, refused = {"error": repr(error)}, refused + 1
        got = ours[i] if len(ours) == len(requests) else ours[0] if ours else {"error": run.stderr[-200:]}
        if (isinstance(expected, str) or isinstance(got, str)) and expected != got:
            differ += 1
            if not example:
                if isinstance(expected, str) and isinstance(got, str):
                    at = next((k for k, (a, b) in enumerate(zip(expected, got)) if a != b), min(len(expected), len(got)))
                    example = f"at {at}: theirs {expected[max(0, at - 20):at + 40]!r}, ours {got[max(0, at - 20):at + 40]!r}"
                else:
                    example = f"theirs {str(expected)[:150]!r}, ours {str(got)[:250]!r}"
    total, wrong = total + COUNT, wrong + differ
    print(f"{path.name}: {COUNT} conversations, {refused} refused by both or one, {differ} differ {example}")
print(f"{total} renderings, {wrong} differ")
sys.exit(wrong > 0)
