"""Compares our tokenizer with Hugging Face tokenizers, tiktoken and the regex package. For developers.

    python3 -m venv venv && venv/bin/pip install tokenizers tiktoken regex
    venv/bin/python Scripts/check_tokenizer.py .build/release/lyceum TEXT-FOLDER [RANKS.tiktoken]

Trains a tokenizer on the folder, opens its tokenizer.json in `tokenizers`, and compares ids on every
file and on random Unicode. With a cl100k rank file, compares with tiktoken as well.
"""
import json, pathlib, random, subprocess, sys, tempfile
import tokenizers

lyceum, folder, ranks = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]


def ours(tokenizer, text):
    out = subprocess.run([lyceum, "tokenizer", "encode", "--tokenizer", tokenizer, "--json"],
        input=text.encode(), capture_output=True, check=True).stdout
    return [t["id"] for t in json.loads(out.splitlines()[-1])["tokens"]]


def random_text(rng, size):
    pools = [(0x20, 0x7F), (0xA0, 0x250), (0x370, 0x530), (0x4E00, 0x4F00), (0x1F600, 0x1F650), (0x2000, 0x2070),
        (0x600, 0x700), (0x900, 0x980), (0, 0x20), (0x10000, 0x10400)]
    weights = [20, 4, 2, 2, 2, 2, 1, 1, 2, 1]
    chars = []
    while len(chars) < size:
        low, high = rng.choices(pools, weights)[0]
        c = rng.randrange(low, high)
        if c:
            chars.append(chr(c))
    return "".join(chars)


def compare(name, tokenizer, encode, texts):
    characters = wrong = 0
    for text in texts:
        a, b = ours(tokenizer, text), encode(text)
        characters += len(text)
        if a != b:
            wrong += 1
            at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            print(f"  differs at token {at}: ours {a[at:at + 4]}, theirs {b[at:at + 4]}")
    print(f"{name}: {len(texts)} texts, {characters} characters, {wrong} with other ids")
    return wrong


rng = random.Random(1)
texts = [p.read_text(errors="ignore") for p in sorted(folder.rglob("*")) if p.is_file()][:60]
noise = [random_text(rng, 20_000) for _ in range(20)]
failures = 0
with tempfile.TemporaryDirectory() as place:
    for cut in ["gpt2", "gpt4", "digits", "formulas"]:
        made = f"{place}/{cut}.json"
        subprocess.run([lyceum, "tokenizer", "train", "--data", folder, "--vocab", "2000", "--pre", cut,
            "--out", made], check=True, capture_output=True)
        theirs = tokenizers.Tokenizer.from_file(made)
        failures += compare(f"tokenizers, {cut}", made,
            lambda t: theirs.encode(t, add_special_tokens=False).ids, texts + noise)
if ranks:
    import base64, tiktoken
    table = {base64.b64decode(a): int(b) for a, b in (l.split() for l in open(ranks[0]).read().splitlines())}
    cl100k = tiktoken.Encoding("cl100k", mergeable_ranks=table, special_tokens={}, pat_str=
        r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s""")
    failures += compare("tiktoken, cl100k", ranks[0], lambda t: cl100k.encode(t, disallowed_special=()), texts + noise)
    for text, ids in [("hello world", [15339, 1917]), ("hello123!!!? (안녕하세요!) 😉",
            [15339, 4513, 12340, 30, 320, 31495, 230, 75265, 243, 92245, 16715, 57037])]:
        failures += ours(ranks[0], text) != ids
sys.exit(failures > 0)
