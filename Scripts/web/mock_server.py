"""A server with made-up models that answers as `lyceum serve` does. For work on the web pages, and their tests.

    python3 Scripts/web/mock_server.py --port 8099 [--delay 20]

Standard library only. The models are deterministic: what they write depends on the seed and on the last
tokens. `tour/busy` answers 429, `tour/broken` breaks off, `tour/hostile` writes what should not hurt a page,
`tour/thinking` thinks and calls a tool.
"""
import argparse, http.server, json, math, pathlib, random, re, socketserver, time, urllib.parse, zlib

WEB = pathlib.Path(__file__).resolve().parents[2] / "Sources/Serving/Web"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
    ".js": "text/javascript; charset=utf-8"}
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'")
VOCABULARY = 49152
SPECIALS = {
    "own": ["<|bos|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|call|>", "<|result|>", "<|end_result|>"],
    "smol": ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"],
}
TEXT = """The river rises in the hills north of the town and runs south to the sea. In spring it floods the meadows,
and the people who live there have built their houses on mounds. The winner of the race was a young woman from the
north, who had never run so far before. The tower was finished in the year of the great fair, and it was the highest
building in the world for forty years. The museum holds the largest collection of paintings in the country. There
are three living species: the plains zebra, the mountain zebra and the horse. The answer is not known, but it is
thought that the light of the sky is scattered by the air, and that blue light is scattered most of all."""


class Tokenizer:
    def __init__(self, kind, length):
        self.kind, self.length = kind, length
        self.specials = {text: 256 + i for i, text in enumerate(SPECIALS[kind])}
        self.bytes_of = {i: bytes([i]) for i in range(256)}
        self.bytes_of |= {i: text.encode() for text, i in self.specials.items()}
        for text in re.findall(r" ?\w+", TEXT):
            self.encode(text)

    def id_of(self, piece):
        if len(piece) == 1:
            return piece[0]
        found = 300 + zlib.crc32(piece + self.kind.encode()) % (VOCABULARY - 300)
        self.bytes_of[found] = piece
        return found

    def encode(self, text, parse_special=False):
        ids = []
        if parse_special:
            pattern = "(" + "|".join(map(re.escape, self.specials)) + ")"
            for part in re.split(pattern, text):
                ids += [self.specials[part]] if part in self.specials else self.encode(part)
            return ids
        for piece in re.findall(r" ?[A-Za-z]+| ?\d{1,3}| ?[^\w\s]+|\n+|[ \t]+(?=\S)|\s+|\w+", text):
            data = piece.encode("utf-8", "surrogatepass")
            step = self.length if data.isascii() else 2
            ids += [self.id_of(data[i:i + step]) for i in range(0, len(data), step)]
        return ids

    def info(self, token):
        data = self.bytes_of.get(token, b"?")
        return {"id": token, "text": data.decode("utf-8", "replace"), "bytes": list(data),
            "special": 256 <= token < 256 + len(self.specials)}

    def render(self, messages, opening=True):
        if self.kind == "own":
            text = "<|bos|>" + "".join(f"<|{m['role']}|>{m['content']}<|end|>" for m in messages)
            return text + ("<|assistant|>" if opening else "")
        text = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)
        return text + ("<|im_start|>assistant\n" if opening else "")

    def encode_messages(self, messages, opening=True):
        """Text of a user is never read as special tokens."""
        marked = self.render([{**m, "content": f"\0{i}\0"} for i, m in enumerate(messages)], opening)
        ids = []
        for i, part in enumerate(marked.split("\0")):
            ids += self.encode(part, True) if i % 2 == 0 else self.encode(messages[int(part)]["content"])
        return ids

    @property
    def stops(self):
        names = ["<|end|>"] if self.kind == "own" else ["<|im_end|>", "<|endoftext|>"]
        return [self.specials[n] for n in names]


TOKENIZERS = {"own": Tokenizer("own", 3), "smol": Tokenizer("smol", 5)}
SCRIPTS = {
    "tour/hostile": "<script>alert(1)</script><img src=x onerror=alert(2)> \u202egnitirw\u202c \u0007\u0000bell "
        "Donau\u200bdampf\u00adschiff " + "A" * 300 + " \U0001F469\u200d\U0001F469\u200d\U0001F467 由非營利組織 "
        "مرحبا بالعالم e\u0301\u0302\u0303\u0304\n\n\n</textarea></body> ](javascript:alert(3)) \ufeff\u2028end",
    "tour/thinking": "<think>The user wants a product. 23 times 177: 20 times 177 is 3540, 3 times 177 is 531."
        "</think>Let me compute it. <|call|>calc 23 * 177<|end|><|result|>4071<|end_result|>The product is 4071.<|end|>",
}
MODELS = [("tour/base", "base", "own"), ("tour/base@step-500", "base", "own"), ("tour/sft", "chat", "own"),
    ("tour/rl", "chat", "own"), ("SmolLM2-135M-Instruct-Q4_1", "chat", "smol"), ("tour/thinking", "chat", "own"),
    ("tour/hostile", "base", "own"), ("tour/busy", "base", "own"), ("tour/broken", "base", "own")]


class Model:
    def __init__(self, name, kind, tokenizer):
        self.name, self.kind, self.tokenizer = name, kind, TOKENIZERS[tokenizer]
        self.hash = tokenizer
        ids = self.tokenizer.encode(TEXT.replace("\n", " "))
        self.after = {}
        for a, b in zip(ids, ids[1:]):
            self.after.setdefault(a, []).append(b)
        self.common = sorted(set(ids), key=lambda i: -ids.count(i))

    def distribution(self, context):
        """The likeliest 60 tokens with their probabilities: what followed in the text, then the common ones."""
        last = context[-1] if context else 0
        dice = random.Random(zlib.crc32(repr(context[-2:]).encode()) ^ zlib.crc32(self.name.encode()))
        known = list(dict.fromkeys(self.after.get(last, [])))
        others = [t for t in self.common if t not in known]
        dice.shuffle(others)
        tokens = (known + ([] if dice.random() < .9 else self.tokenizer.stops) + others)[:60]
        steepness = dice.choice([.8, 1.2, 1.6, 2.4, 4])
        weights = [(i + 1) ** -steepness for i in range(len(tokens))]
        total = sum(weights) * 1.08
        return [(t, w / total) for t, w in zip(tokens, weights)]

    def score(self, token, context, top, kept=0):
        likely = self.distribution(context)
        chance = dict(likely).get(token)
        rank = next((i for i, (t, _) in enumerate(likely) if t == token), 3000 + token % 900)
        entropy = -sum(p * math.log(p) for _, p in likely) + .08 * math.log(VOCABULARY / .08)
        return self.tokenizer.info(token) | {
            "logprob": math.log(chance) if chance else -12.5 - token % 5, "rank": rank, "entropy": entropy,
            "kept": kept,
            "top": [{"id": t, "text": self.tokenizer.info(t)["text"], "logprob": math.log(p)} for t, p in likely[:top]]}

    def draw(self, context, r, dice):
        likely = self.distribution(context)
        if r["temperature"] == 0:
            return likely[0][0], 1
        weights = [(t, p ** (1 / r["temperature"])) for t, p in likely]
        if r["top_k"]:
            weights = weights[:r["top_k"]]
        if r["top_p"] < 1:
            limit, running, kept = r["top_p"] * sum(w for _, w in weights), 0, 0
            while kept < len(weights) and running < limit:
                running, kept = running + weights[kept][1], kept + 1
            weights = weights[:kept]
        weights = [w for w in weights if w[1] >= r["min_p"] * weights[0][1]]
        return dice.choices([t for t, _ in weights], [w for _, w in weights])[0], len(weights)


LOADED = {name: Model(name, kind, tokenizer) for name, kind, tokenizer in MODELS}
NUMBERS = {"max_tokens": 64, "temperature": 1, "top_p": 1, "top_k": 0, "min_p": 0, "seed": 1, "n": 1, "top": 20}


class Refusal(Exception):
    def __init__(self, status, message, param=None, headers={}):
        self.status, self.message, self.param, self.headers = status, message, param, headers


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    delay = 0

    def log_message(self, *_): pass

    def answer(self, status, body, kind="application/json", headers={}):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for key, value in {"Content-Type": kind, "Content-Length": str(len(data)), "Cache-Control": "no-cache",
                "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(data)

    def attempt(self, work):
        try:
            work()
        except Refusal as refusal:
            self.answer(refusal.status, {"error": {"message": refusal.message, "type": "invalid_request_error",
                "param": refusal.param, "code": None}}, headers=refusal.headers)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def model(self, name):
        if name not in LOADED:
            raise Refusal(404, f"There is no model '{name}' here.", "model")
        return LOADED[name]

    def do_GET(self):
        self.attempt(self.get)

    def do_POST(self):
        self.attempt(self.post)

    def get(self):
        url = urllib.parse.urlparse(self.path)
        query = {k: v[0] for k, v in urllib.parse.parse_qs(url.query).items()}
        if url.path == "/api/models":
            return self.answer(200, {"models": [{"id": m.name, "kind": m.kind, "context": 2048,
                "vocabulary": VOCABULARY, "parameters": 134515008 if m.hash == "smol" else 3407872,
                "family": "llama", "quantisation": "Q4_1" if m.hash == "smol" else None,
                "tokenizer": m.hash, "loaded": True} for m in LOADED.values()]})
        if url.path == "/tokenizer_info":
            t = self.model(query.get("model")).tokenizer
            return self.answer(200, {"model": query["model"], "kind": "bpe", "vocabulary": VOCABULARY,
                "special": [{"id": i, "text": s} for s, i in t.specials.items()], "pattern": r" ?\p{L}+|\p{N}{1,3}"})
        if url.path == "/api/vocabulary":
            t = self.model(query.get("model")).tokenizer
            found = [t.info(i) for i in sorted(t.bytes_of)]
            wanted = query.get("q", "")
            found = [e for e in found if wanted in e["text"] or wanted == str(e["id"])]
            at, limit = int(query.get("offset", 0)), int(query.get("limit", 100))
            return self.answer(200, {"total": len(found), "entries": found[at:at + limit]})
        name = {"/": "index.html", "/playground": "playground.html", "/tokenizer": "tokenizer.html"}.get(
            url.path, url.path[1:])
        file = (WEB / name).resolve()
        if not file.is_relative_to(WEB) or not file.is_file():
            raise Refusal(404, f"There is nothing at {url.path}.")
        self.answer(200, file.read_bytes(), TYPES[file.suffix])

    def post(self):
        length = int(self.headers.get("Content-Length", 0))
        r = json.loads(self.rfile.read(length) or b"{}")
        m = self.model(r.get("model"))
        t = m.tokenizer
        if self.path == "/tokenize":
            return self.answer(200, (lambda ids: {"tokens": [t.info(i) for i in ids], "count": len(ids)})(
                self.prompt(m, r)))
        if self.path == "/detokenize":
            return self.answer(200, {"content": b"".join(t.bytes_of.get(i, b"?") for i in r["tokens"]).decode(
                "utf-8", "replace")})
        if self.path == "/apply-template":
            if m.kind == "base":
                raise Refusal(400, f"'{m.name}' is a base model and has no turns: use completions.", "model")
            return self.answer(200, {"prompt": t.render(r["messages"])})
        if self.path == "/api/merges":
            pieces = []
            for piece in re.findall(r" ?\w+|\W+", r["text"]):
                parts = [bytes([b]) for b in piece.encode()]
                steps = [[t.id_of(p) for p in parts]]
                final = [t.bytes_of[i] for i in t.encode(piece)]
                while len(parts) > len(final):
                    ends, at, end = set(), 0, 0
                    for f in final:
                        end += len(f)
                        ends.add(end)
                    for i in range(len(parts) - 1):
                        at += len(parts[i])
                        if at not in ends:
                            parts[i:i + 2] = [parts[i] + parts[i + 1]]
                            break
                    steps.append([t.id_of(p) for p in parts])
                pieces.append({"text": piece, "steps": steps})
            return self.answer(200, {"pieces": pieces})
        if self.path == "/api/generate":
            return self.generate(m, r)
        raise Refusal(404, f"There is nothing at {self.path}.")

    def prompt(self, m, r):
        t = m.tokenizer
        if "prompt_tokens" in r:
            return r["prompt_tokens"]
        if "messages" in r:
            if m.kind == "base":
                raise Refusal(400, f"'{m.name}' is a base model and has no turns: use completions.", "messages")
            return t.encode_messages(r["messages"], r.get("add_generation_prompt", True))
        ids = t.encode(r.get("content", r.get("prompt", "")), r.get("parse_special", False))
        start = [t.specials["<|bos|>"]] if r.get("add_special") and m.hash == "own" else []
        return start + ids if not start or ids[:1] != start else ids

    def generate(self, m, r):
        for name, default in NUMBERS.items():
            value = r.setdefault(name, default)
            if not isinstance(value, (int, float)) or value < 0:
                raise Refusal(400, f"'{name}' is {value!r}: a number from 0 up is needed.", name)
        if m.name == "tour/busy":
            raise Refusal(429, "All places are taken.", headers={"Retry-After": "3"})
        prompt = self.prompt(m, r)
        if len(prompt) + 1 > 2048:
            raise Refusal(400, f"The prompt has {len(prompt)} tokens; the model reads 2048 at most.", "prompt")
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        send = lambda value: (self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n"), self.wfile.flush())
        if r.get("echo"):
            scores = [m.score(i, prompt[:at], r["top"]) for at, i in enumerate(prompt)]
            if scores:
                scores[0] |= {"logprob": None, "rank": None, "entropy": None, "kept": None, "top": []}
            send({"type": "prompt", "tokens": scores})
        script = m.tokenizer.encode(SCRIPTS[m.name], True) if m.name in SCRIPTS else None
        runs = [{"context": list(prompt), "made": 0, "end": None, "dice": random.Random(f"{r['seed']} {i}")}
            for i in range(int(r["n"]))]
        began = time.time()
        while any(not run["end"] for run in runs):
            for index, run in enumerate(runs):
                if run["end"]:
                    continue
                token, kept = m.draw(run["context"], r, run["dice"])
                foreign = False
                if script is not None:
                    if run["made"] >= len(script):
                        run["end"] = "stop"
                    else:
                        token = script[run["made"]]
                        text = m.tokenizer.info(token)["text"]
                        before = b"".join(m.tokenizer.bytes_of[i] for i in run["context"][len(prompt):])
                        foreign = text == "<|result|>" or (b"<|result|>" in before and b"<|end_result|>" not in before)
                if not run["end"]:
                    score = m.score(token, run["context"], int(r["top"]), kept)
                    if foreign:
                        score |= {"logprob": None, "rank": None, "entropy": None, "kept": None, "top": []}
                    run["context"].append(token)
                    run["made"] += 1
                    if script is None and token in m.tokenizer.stops:
                        run["end"] = "stop"
                    else:
                        send({"type": "token", "index": index, "token": score})
                    if not run["end"] and run["made"] >= r["max_tokens"]:
                        run["end"] = "length"
                    if m.name == "tour/broken" and run["made"] >= 12:
                        return
                if run["end"]:
                    send({"type": "end", "index": index, "reason": run["end"], "usage": {
                        "prompt_tokens": len(prompt), "completion_tokens": run["made"]}, "timings": {
                        "prefill_ms": 1 + len(prompt) * .2, "decode_ms": (time.time() - began) * 1000 + 1}})
            if self.delay:
                time.sleep(self.delay / 1000)
        self.wfile.write(b"data: [DONE]\n\n")


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address): pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--delay", type=float, default=0, help="milliseconds between tokens")
    options = parser.parse_args()
    Handler.delay = options.delay
    Server(("127.0.0.1", options.port), Handler).serve_forever()
