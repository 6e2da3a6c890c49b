"""Compares our tokenizer with Hugging Face tokenizers, tiktoken and llama.cpp's vectors. For developers.

    python3 -m venv venv && venv/bin/pip install tokenizers tiktoken gguf
    venv/bin/python Scripts/check_tokenizer.py train .build/release/lyceum TEXT-FOLDER
    venv/bin/python Scripts/check_tokenizer.py gguf .build/release/lyceum MODEL.gguf
    venv/bin/python Scripts/check_tokenizer.py ranks .build/release/lyceum cl100k_base.tiktoken
    venv/bin/python Scripts/check_tokenizer.py vectors .build/release/lyceum FOLDER

train: trains on the folder, opens the tokenizer.json in `tokenizers`, compares ids on every file and on noise.
gguf: rebuilds a byte-level tokenizer from the file in `tokenizers`, compares 100,000 random strings.
ranks: the same against tiktoken with a rank file (cl100k_base, o200k_base, gpt2 by its name).
vectors: every NAME.gguf of the folder (vocabularies with NAME.gguf.inp and NAME.gguf.out beside them).
"""
import base64, json, pathlib, random, subprocess, sys, tempfile
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers

mode, lyceum, place = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
COUNT = int(sys.argv[4]) if len(sys.argv) > 4 else 100_000


def ours(tokenizer, texts):
    out = subprocess.run([lyceum, "tokenizer", "encode", "--tokenizer", tokenizer, "--lines"],
        input="".join(json.dumps(t) + "\n" for t in texts).encode(), capture_output=True)
    if out.returncode:
        sys.exit(out.stderr.decode())
    return [[int(i) for i in line.split()] for line in out.stdout.decode().split("\n")[:-1]]


POOLS = [(0x20, 0x7F), (0xA0, 0x250), (0x370, 0x530), (0x4E00, 0x9FFF), (0x1F300, 0x1FAFF), (0x2000, 0x2070), (0x590, 0x700),
    (0x900, 0xE00), (0, 0x20), (0x10000, 0x10400), (0x300, 0x370), (0xAC00, 0xD7A4), (0xE000, 0x10000), (0x10000, 0x110000)]
WEIGHTS = [40, 6, 4, 4, 4, 4, 4, 4, 5, 2, 6, 2, 1, 2]
PIECES = ["'s", "'S", "'LL", "'\u017f", " ", "  ", "\n", "\r\n", "\t", "hello", "World", "ABCdef", "123", "12345", "\u200d", "\ufe0f", "é", "e\u0301",
    "👩\u200d👩\u200d👧", "🇨🇭", "שלום", "\u202e", "\x00", "\ufeff", "/", "//\n", "<|im_end|>", "</s>", "don't", "İ", "ǅ", "ß", "\u3000", "\u0085"]
# Digits of Unicode 17, which the libraries compared with see differently from each other.
NEW_DIGITS = set(range(0x11DE0, 0x11DEA)) | {0x16FF4, 0x16FF5, 0x16FF6}


def random_text(rng, size):
    out = []
    while len(out) < size:
        if rng.random() < 0.25:
            out.append(rng.choice(PIECES))
            continue
        low, high = rng.choices(POOLS, WEIGHTS)[0]
        c = rng.randrange(low, high)
        if not 0xD800 <= c <= 0xDFFF and c not in NEW_DIGITS:
            out.append(chr(c))
    return "".join(out)


def strings(count):
    rng = random.Random(1)
    return [random_text(rng, rng.randint(1, 40)) for _ in range(count)]


def compare(name, tokenizer, encode, texts):
    characters = wrong = 0
    for text, a in zip(texts, ours(tokenizer, texts), strict=True):
        b = list(encode(text))
        characters += len(text)
        if a != b:
            wrong += 1
            at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            if wrong <= 5:
                print(f"  {text!r} differs at token {at}: ours {a[at:at + 4]}, theirs {b[at:at + 4]}")
    print(f"{name}: {len(texts)} texts, {characters} characters, {wrong} with other ids")
    return wrong


def metadata(path):
    """What `tokenizer.ggml.*` says, as a NAME.metadata.json that lyceum reads."""
    from gguf import GGUFReader

    fields = GGUFReader(str(path)).fields
    get = lambda key: fields["tokenizer.ggml." + key].contents() if "tokenizer.ggml." + key in fields else None
    found = {"model": get("model"), "pre": get("pre"), "tokens": get("tokens"), "types": [int(t) for t in get("token_type") or []],
        "scores": [float(s) for s in get("scores") or []], "merges": get("merges") or [], "bos": get("bos_token_id"),
        "eos": get("eos_token_id"), "endOfTurn": get("eot_token_id"), "padding": get("padding_token_id"),
        "addsBOS": get("add_bos_token"), "addsEOS": get("add_eos_token"), "addsSpacePrefix": get("add_space_prefix")}
    return {k: v for k, v in found.items() if v is not None}


def from_metadata(found):
    """The byte-level BPE of a GGUF file in `tokenizers`."""
    vocabulary = {token: i for i, token in enumerate(found["tokens"])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [tuple(m.split(" ", 1)) for m in found["merges"]], fuse_unk=False))
    whole = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    plain = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    if found["pre"] in ("smollm", "starcoder", "refact", "command-r"):
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), whole])
    elif found["pre"] == "gpt-2":
        tokenizer.pre_tokenizer = whole
    elif found["pre"] in ("qwen2", "llama-bpe"):
        numbers = r"\p{N}" if found["pre"] == "qwen2" else r"\p{N}{1,3}"
        pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|" + numbers + r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), plain])
        if found["pre"] == "qwen2":
            tokenizer.normalizer = tokenizers.normalizers.NFC()
        else:
            tokenizer.model.ignore_merges = True
    else:
        sys.exit(f"the pre-tokenizer {found['pre']} is not known to this script")
    return tokenizer


failures = 0
with tempfile.TemporaryDirectory() as folder:
    if mode == "train":
        texts = [p.read_text(errors="ignore") for p in sorted(place.rglob("*")) if p.is_file()][:60]
        for cut in ["gpt2", "gpt4", "digits", "formulas"]:
            made = f"{folder}/{cut}.json"
            subprocess.run([lyceum, "tokenizer", "train", "--data", place, "--vocab", "2000", "--pre", cut, "--out", made],
                check=True, capture_output=True)
            theirs = Tokenizer.from_file(made)
            failures += compare(f"tokenizers, {cut}", made,
                lambda t: theirs.encode(t, add_special_tokens=False).ids, texts + strings(1_000))
    elif mode == "gguf":
        made, found = f"{folder}/model.metadata.json", metadata(place)
        pathlib.Path(made).write_text(json.dumps(found))
        theirs = from_metadata(found)
        failures += compare(f"tokenizers, {place.name}", made,
            lambda t: theirs.encode(t, add_special_tokens=False).ids, strings(COUNT))
    elif mode == "ranks":
        import tiktoken, tiktoken_ext.openai_public as public

        ranks = {base64.b64decode(a): int(b) for a, b in (l.split() for l in place.read_text().splitlines())}
        kind = next((k for k in ("o200k", "gpt2", "r50k", "p50k") if place.name.startswith(k)), "cl100k")
        public.load_tiktoken_bpe = lambda *a, **k: ranks
        pattern = public.r50k_pat_str if kind in ("gpt2", "r50k", "p50k") else getattr(public, kind + "_base")()["pat_str"]
        theirs = tiktoken.Encoding(kind, mergeable_ranks=ranks, special_tokens={}, pat_str=pattern)
        failures += compare(f"tiktoken, {kind}", place, theirs.encode_ordinary, strings(COUNT))
    elif mode == "vectors":
        for inputs in sorted(place.glob("*.gguf.inp")):
            vocabulary = inputs.with_suffix("")
            made, found = f"{folder}/{vocabulary.name}.metadata.json", metadata(vocabulary)
            pathlib.Path(made).write_text(json.dumps(found))
            texts = inputs.read_bytes().decode().split("\n__ggml_vocab_test__\n")
            outputs = iter(inputs.with_suffix(".out").read_text().split("\n"))
            try:
                failures += compare(vocabulary.name, made, lambda t: map(int, next(outputs).split()), texts)
            except SystemExit as refusal:
                print(f"{vocabulary.name}: {str(refusal).strip()}")
sys.exit(failures > 0)
