"""Exports a model and opens it with transformers and llama.cpp. For developers.

    venv/bin/pip install torch transformers peft cyllama
    venv/bin/python Scripts/check_export.py .build/release/lyceum runs/tour/e1/…/model "C2H6O is 2 C, 6 H"
    venv/bin/python Scripts/check_export.py .build/release/lyceum runs/manners "What is the capital of France?"

transformers must give equal ids, logits (1e-3) and the same text of the chat template; llama.cpp equal ids for the text and for
thousands of odd ones, and the same greedy text of 64 tokens but where the best two logits are closer than the tolerance. Of a run
that trained an adapter, PEFT must open that, with equal logits.
"""
import argparse, json, pathlib, random, subprocess, sys, tempfile
import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

TOLERANCE = 1e-3
failures = []


def check(fits, sentence):
    print(("" if fits else "DIFFERS: ") + sentence, flush=True)
    if not fits:
        failures.append(sentence)


def odd_texts(text, count):
    """Texts of words of `text` and of pieces that tokenizers disagree about."""
    random.seed(7)
    words = text.split() + ["Na", "OH", "H2O", "McDonald", "it's", "IT'S", "'tis", "don't", "100", "3.14", "12345", "é", "e\u0301",
        "\u00a0", "\t", "\n", "\n\n", "  ", "   ", "(", ")", "...", "!?", "--", "/", "\\", "\"", "'", "''", "\r\n", "日本", "😀", "👩\u200d👧",
        "ß", "Ω", "_", "a_b", "CamelCase", "<|", "|>", "#", "٣", "½", "İ", "ﬁ"]
    return [random.choice(["", " ", "\n"]).join(random.choice(words) for _ in range(random.randint(1, 12))) for _ in range(count)]


class Lyceum:
    def __init__(self, program):
        self.program = program

    def run(self, *words, **more):
        done = subprocess.run([self.program, *map(str, words)], capture_output=True, text=True, **more)
        if done.returncode:
            sys.exit(f"{' '.join(map(str, words))}: {done.stderr}")
        return done.stdout

    def ids(self, tokenizer, texts):
        out = self.run("tokenizer", "encode", "--tokenizer", tokenizer, "--lines", input="".join(json.dumps(t) + "\n" for t in texts))
        return [[int(word) for word in line.split()] for line in out.split("\n")[: len(texts)]]

    def parity(self, model, lists, new, folder):
        (folder / "ids.json").write_text(json.dumps(lists))
        out = self.run("parity", model, folder / "ids.json", "--new", new, "--logits", folder / "logits.bin", "--json")
        lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        return np.fromfile(folder / "logits.bin", "<f4").reshape(len(lists), -1), lines


def with_transformers(lyceum, hf, texts, lists, logits):
    model = AutoModelForCausalLM.from_pretrained(hf, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(hf)
    ours = lyceum.ids(hf, texts)
    theirs = [tokenizer.encode(t, add_special_tokens=False) for t in texts]
    wrong = [t for t, a, b in zip(texts, ours, theirs) if a != b]
    check(not wrong, f"transformers: {len(texts) - len(wrong)} of {len(texts)} texts with equal ids {wrong[:2]}")
    with torch.inference_mode():
        worst = max(float(np.abs(model(torch.tensor([ids])).logits[0, -1].numpy() - row).max()) for ids, row in zip(lists, logits))
    check(worst < TOLERANCE, f"{type(model).__name__}: largest difference of a logit {worst:.1e}")
    chat = tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], add_generation_prompt=True, tokenize=False)
    print("chat template:", repr(chat))
    return model


def with_peft(adapter, base, lists, logits):
    from peft import PeftModel

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapter).eval()
    with torch.inference_mode():
        worst = max(float(np.abs(model(torch.tensor([ids])).logits[0, -1].numpy() - row).max()) for ids, row in zip(lists, logits))
    check(worst < TOLERANCE, f"PEFT: largest difference of a logit {worst:.1e}")


def with_llama(lyceum, gguf, source, texts, lists, lines, new):
    from cyllama.llama import llama_cpp

    llama_cpp.disable_logging()

    class Model(llama_cpp.LlamaModel):  # what its own get_logits_ith asks for and its model lacks
        @property
        def n_vocab(self):
            return self.get_vocab().n_vocab

    model = Model(str(gguf))
    vocab = model.get_vocab()
    ours = lyceum.ids(source, texts)
    theirs = [list(vocab.tokenize(t, False, False)) if t else [] for t in texts]
    wrong = [(t, a, b) for t, a, b in zip(texts, ours, theirs) if a != b]
    check(not wrong, f"llama.cpp: {len(texts) - len(wrong)} of {len(texts)} texts with equal ids {wrong[:2]}")
    settings = llama_cpp.LlamaContextParams()
    settings.n_ctx = settings.n_batch = settings.n_ubatch = max(map(len, lists)) + new + 8
    settings.n_threads = settings.n_threads_batch = 1
    settings.type_k = settings.type_v = 0  # F32
    settings.flash_attn_type = 0  # rounds to halves
    context = llama_cpp.LlamaContext(model, settings)
    for ids, line in zip(lists, lines):
        context.kv_cache_clear()
        said, place, pending, gap = [], 0, ids, 0.0
        for _ in range(len(line["greedy"])):
            batch = llama_cpp.LlamaBatch(n_tokens=len(pending), embd=0, n_seq_max=1)
            for i, token in enumerate(pending):
                batch.add(token, place + i, [0], i + 1 == len(pending))
            context.decode(batch)
            place += len(pending)
            row = np.asarray(context.get_logits_ith(-1))
            best = np.argsort(row)[-2:]
            said.append(int(best[1]))
            gap = float(row[best[1]] - row[best[0]])
            if said[-1] != line["greedy"][len(said) - 1]:
                break
            pending = said[-1:]
        same = sum(a == b for a, b in zip(said, line["greedy"]))
        whole = same == len(line["greedy"])
        check(whole or gap < TOLERANCE, f"llama.cpp: {same} of {len(line['greedy'])} greedy tokens equal"
            + ("" if whole else f", the best two {gap:.1e} apart there"))
    for line in lines:
        text = vocab.detokenize(line["greedy"])
        print("greedy text:", repr(text)[:400])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lyceum")
    parser.add_argument("model")
    parser.add_argument("text")
    parser.add_argument("--new", type=int, default=64, help="greedy tokens")
    parser.add_argument("--texts", type=int, default=3000, help="odd texts to tokenize")
    args = parser.parse_args()
    torch.set_num_threads(1)
    lyceum = Lyceum(args.lyceum)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        hf, gguf = folder / "hf", folder / "model.gguf"
        lyceum.run("export", args.model, "--to", "hf", "--out", hf)
        lyceum.run("export", args.model, "--to", "gguf", "--out", gguf)
        plain = lyceum.ids(hf, [args.text])[0]
        config = json.loads((hf / "tokenizer_config.json").read_text())
        first = lyceum.ids(hf, [""])[0]
        tokenizer = AutoTokenizer.from_pretrained(hf)
        chat = tokenizer.apply_chat_template([{"role": "user", "content": args.text}], add_generation_prompt=True, tokenize=False)
        bos = tokenizer.convert_tokens_to_ids(config["bos_token"]) if config.get("bos_token") else None
        lists = [([bos] if bos is not None else first) + plain, tokenizer.encode(chat, add_special_tokens=False)]
        logits, lines = lyceum.parity(args.model, lists, args.new, folder)
        texts = odd_texts(args.text, args.texts)
        with_transformers(lyceum, hf, texts, lists, logits)
        again, _ = lyceum.parity(gguf, lists, 1, folder)
        check(float(np.abs(again - logits).max()) < 1e-5, f"its own GGUF read back: {float(np.abs(again - logits).max()):.1e}")
        adapter = pathlib.Path(args.model) / "adapter"
        if adapter.is_dir():
            base = folder / "base"
            where = json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"]
            lyceum.run("export", where, "--to", "hf", "--out", base)
            with_peft(adapter, base, lists, logits)
        with_llama(lyceum, gguf, hf, texts, lists, lines, args.new)
    print(json.dumps({"model": args.model, "differs": failures}))
    sys.exit(bool(failures))


main()
