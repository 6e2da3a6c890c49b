"""Compares what lyceum computes from a GGUF file with transformers and llama.cpp on the same weights. For developers.

    venv/bin/pip install torch transformers gguf cyllama
    venv/bin/python Scripts/check_real.py .build/release/lyceum model.gguf                    2 to 3 minutes on one core
    venv/bin/python Scripts/check_real.py .build/release/lyceum model.gguf --only perplexity --bytes 100000 --kept kept.json

logits      The file is dequantised into a float32 model of transformers: an independent reading of the same bytes. Twenty
            prompts of 1 to 1,000 tokens of English text; for each the logits of the last token, the log-probability of every
            token, and a greedy continuation, which must be equal up to where the best two logits are closer than the
            tolerance.
gradients   Of the mean loss of a text with respect to every parameter, against PyTorch's: relative L2.
perplexity  Of a text in windows of 512 tokens, against llama.cpp on the same weights written as F32 (cache F32, no flash
            attention, which rounds to halves). With --kept, windows that llama.cpp has done are kept in a file, and --seconds
            ends a run early: the next one goes on.
The text is that of Python's own documentation (pydoc_data), which every Python has. Known here: llama, qwen2, qwen3, gemma3.
"""
import argparse, contextlib, hashlib, json, math, os, pathlib, subprocess, sys, tempfile, time
import numpy as np
import torch
from gguf import GGUFReader, GGUFValueType, GGUFWriter
from gguf.quants import dequantize
from transformers import AutoModelForCausalLM, AutoConfig

TOLERANCE = 1e-3
LENGTHS = [1, 2, 3, 5, 8, 13, 21, 34, 47, 48, 49, 64, 96, 97, 128, 200, 333, 511, 777, 1000]
WINDOW = 512
LAYER = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm", "post_attention_norm": "post_attention_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm"}
WHOLE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
began = time.perf_counter()


def say(*words):
    print(f"[{time.perf_counter() - began:5.0f} s]", *words, file=sys.stderr, flush=True)


def values(tensor):
    return np.array(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32).reshape([int(n) for n in tensor.shape[::-1]])


def read(path):
    reader = GGUFReader(path)
    keys = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("tokenizer.")}
    arch = keys["general.architecture"]
    get = lambda key, default=None: keys.get(f"{arch}.{key}", default)
    heads, kv = get("attention.head_count"), get("attention.head_count_kv", get("attention.head_count"))
    state = {}
    for t in reader.tensors:
        name, _, suffix = t.name.rpartition(".")
        w = values(t)
        if name.startswith("blk."):
            _, layer, part = name.split(".")
            theirs = LAYER.get(part) or {"ffn_norm": "pre_feedforward_layernorm" if arch == "gemma3" else "post_attention_layernorm"}[part]
            theirs = f"model.layers.{layer}.{theirs}"
            if arch == "llama" and part in ("attn_q", "attn_k"):
                n = heads if part == "attn_q" else kv
                w = w.reshape(n, w.shape[0] // n // 2, 2, -1).swapaxes(1, 2).reshape(w.shape)
        elif name in WHOLE:
            theirs = WHOLE[name]
        else:
            sys.exit(f"{path}: the tensor {t.name} is not known here")
        if arch == "gemma3" and "norm" in theirs:
            w = w - 1
        state[f"{theirs}.{suffix}"] = torch.from_numpy(np.ascontiguousarray(w))
    width = get("embedding_length")
    config = dict(vocab_size=state["model.embed_tokens.weight"].shape[0], hidden_size=width,
        num_hidden_layers=get("block_count"), num_attention_heads=heads, num_key_value_heads=kv,
        head_dim=get("attention.key_length", width // heads), intermediate_size=get("feed_forward_length"),
        max_position_embeddings=get("context_length"), rms_norm_eps=float(get("attention.layer_norm_rms_epsilon")),
        tie_word_embeddings="lm_head.weight" not in state, attn_implementation="eager")
    base = float(get("rope.freq_base", 10000.0))
    if arch == "gemma3":
        config |= dict(sliding_window=get("attention.sliding_window"), query_pre_attn_scalar=config["head_dim"],
            rope_parameters={"full_attention": {"rope_type": "default", "rope_theta": base},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}})
    else:
        config["rope_parameters"] = {"rope_type": "default", "rope_theta": base}
    if config["tie_word_embeddings"]:
        state["lm_head.weight"] = state["model.embed_tokens.weight"]
    with torch.device("meta"):  # no random values for what is filled anyway
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model("gemma3_text" if arch == "gemma3" else arch, **config))
    model = model.to_empty(device="cpu").float()
    model.model.rotary_emb.__init__(model.config)
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not missing and not unexpected, (missing, unexpected)
    model.tie_weights()
    return model.eval()


def text(count):
    import pydoc_data.topics

    found = "\n\n".join(pydoc_data.topics.topics[name] for name in sorted(pydoc_data.topics.topics)).encode()
    return found[:count].decode(errors="ignore")


class Check:
    def __init__(self, args):
        self.args, self.model = args, None

    def run(self, *words):
        done = subprocess.run([self.args.lyceum, *words, "--threads", str(self.args.threads)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        return done

    def ids(self, count):
        done = subprocess.run([self.args.lyceum, "tokenizer", "encode", "--tokenizer", self.args.gguf, "--lines"],
            input=json.dumps(text(count)) + "\n", capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        return [int(word) for word in done.stdout.split()]

    def theirs(self):
        if self.model is None:
            self.model = read(self.args.gguf)
            say("transformers has the weights")
        return self.model

    def logits(self, folder):
        new, lengths = self.args.new, LENGTHS[: self.args.count]
        every = self.ids(40_000)
        lists, at = [], 0
        for length in lengths:
            lists.append(every[at : at + length])
            at += length
        model = self.theirs()
        ids, out = folder / "ids.json", folder / "logits.bin"
        ids.write_text(json.dumps(lists))
        start = time.perf_counter()
        run = self.run("parity", self.args.gguf, str(ids), "--new", str(new), "--logits", str(out))
        seconds = time.perf_counter() - start
        say(f"lyceum has computed {len(lists)} prompts of {sum(lengths)} tokens")
        logits = np.fromfile(out, "<f4").reshape(len(lists), model.config.vocab_size)
        worst, worst_logp, wrong = 0.0, 0.0, []
        for i, (line, prompt) in enumerate(zip(run.stdout.splitlines(), lists)):
            ours = json.loads(line)
            row, logp, greedy, gaps = expected(model, prompt, new)
            difference = float(np.abs(logits[i] - row).max())
            difference_logp = max((abs(a - b) for a, b in zip(ours["logprobs"], logp)), default=0.0)
            same = next((k for k in range(new) if ours["greedy"][k] != greedy[k]), new)
            excused = same == new or gaps[same] < TOLERANCE
            say(f"{len(prompt):5d} tokens: logits {difference:.1e}, log-probabilities {difference_logp:.1e}, "
                f"greedy {same}/{new}" + ("" if same == new else f", gap there {gaps[same]:.1e}"))
            worst, worst_logp = max(worst, difference), max(worst_logp, difference_logp)
            if not excused:
                wrong.append(i)
        return worst < TOLERANCE and worst_logp < TOLERANCE and not wrong, {"prompts": len(lists), "max_logit_difference": worst,
            "max_logprob_difference": worst_logp, "greedy_wrong": wrong, "lyceum_seconds": round(seconds, 1)}

    def gradients(self, folder):
        from safetensors.numpy import load_file

        prompt = self.ids(4_000)[:256]
        ids, out = folder / "ids.json", folder / "gradients.safetensors"
        ids.write_text(json.dumps([prompt]))
        line = json.loads(self.run("parity", self.args.gguf, str(ids), "--new", "0", "--gradients", str(out)).stdout)
        ours = load_file(out)
        say("lyceum has its gradients")
        model = self.theirs()
        tokens = torch.tensor([prompt])
        logits = model(input_ids=tokens).logits[0, :-1]
        loss = torch.nn.functional.cross_entropy(logits, tokens[0, 1:])
        loss.backward()
        worst, total = ("", 0.0), [0.0, 0.0]
        for name, parameter in model.named_parameters():
            theirs, mine = parameter.grad.double().numpy(), ours[name].astype(np.float64)
            error, size = float(((mine - theirs) ** 2).sum()), float((theirs**2).sum())
            total = [total[0] + error, total[1] + size]
            worst = max(worst, (name, math.sqrt(error / size)), key=lambda pair: pair[1])
        model.zero_grad(set_to_none=True)
        whole = math.sqrt(total[0] / total[1])
        say(f"gradients: relative L2 {whole:.1e} over all, at worst {worst[1]:.1e} ({worst[0]})")
        fits = whole < TOLERANCE and worst[1] < TOLERANCE and abs(line["loss"] - loss.item()) < TOLERANCE
        return fits, {"gradient_error": whole, "worst_gradient_error": worst[1], "worst_gradient": worst[0],
            "loss": line["loss"], "loss_difference": abs(line["loss"] - loss.item())}

    def perplexity(self, folder):
        every = self.ids(self.args.bytes)
        windows = [w for w in (every[i : i + WINDOW] for i in range(0, len(every), WINDOW)) if len(w) > 1]
        ids, whole = folder / "ids.json", self.args.f32 or folder / "whole.gguf"
        if not pathlib.Path(whole).exists():
            as_float32(self.args.gguf, whole)
            say("the weights are written as F32")
        kept = pathlib.Path(self.args.kept) if self.args.kept else folder / "kept.json"
        known = json.loads(kept.read_text()) if kept.exists() else {}
        key = lambda window: hashlib.sha256(json.dumps([os.path.basename(self.args.gguf), window]).encode()).hexdigest()[:24]
        ask = None
        for i, window in enumerate(windows):
            if key(window) in known:
                continue
            ask = ask or llama(str(whole), self.args.threads, WINDOW)
            known[key(window)] = ask(window)
            kept.write_text(json.dumps(known))
            if i % 4 == 3:
                say(f"llama.cpp: window {i + 1} of {len(windows)}")
            if time.perf_counter() - began > self.args.seconds:
                break
        windows = [w for w in windows if key(w) in known]
        ids.write_text(json.dumps(windows))
        lines = self.run("parity", self.args.gguf, str(ids), "--new", "0").stdout.splitlines()
        count = sum(len(w) - 1 for w in windows)
        ours = math.exp(-sum(sum(json.loads(line)["logprobs"]) for line in lines) / count)
        theirs = math.exp(-sum(known[key(w)] for w in windows) / count)
        difference = abs(ours / theirs - 1)
        say(f"perplexity of {count} tokens: {ours:.5f}, llama.cpp {theirs:.5f}, relative difference {difference:.1e}")
        return difference < TOLERANCE, {"perplexity": ours, "perplexity_llama_cpp": theirs, "perplexity_difference": difference,
            "perplexity_tokens": count, "perplexity_windows": len(windows)}


def expected(model, ids, new):
    with torch.inference_mode():
        out = model(input_ids=torch.tensor([ids]), use_cache=True)
        logits, cache = out.logits[0], out.past_key_values
        logp = logits[:-1].double().log_softmax(-1)
        row, greedy, gaps = logits[-1], [], []
        for _ in range(new):
            best = torch.topk(row, 2)
            greedy.append(int(best.indices[0]))
            gaps.append(float(best.values[0] - best.values[1]))
            out = model(input_ids=torch.tensor([greedy[-1:]]), past_key_values=cache, use_cache=True)
            row, cache = out.logits[0, -1], out.past_key_values
        return logits[-1].numpy().copy(), [logp[i, t].item() for i, t in enumerate(ids[1:])], greedy, gaps


def as_float32(source, target):
    """The same weights and keys with every tensor as F32."""
    reader = GGUFReader(source)
    writer = GGUFWriter(target, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        if field.types[0] == GGUFValueType.ARRAY:
            writer.add_key_value(name, field.contents(), GGUFValueType.ARRAY, sub_type=field.types[-1])
        else:
            writer.add_key_value(name, field.contents(), field.types[0])
    writer.add_file_type(0)
    for t in reader.tensors:
        writer.add_tensor(t.name, values(t))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def llama(path, threads, length):
    """The sum of log p of a list's tokens after the first, by llama.cpp."""
    from cyllama.llama import llama_cpp

    llama_cpp.disable_logging()

    class Model(llama_cpp.LlamaModel):  # what its own get_logits_ith asks for and its model lacks
        @property
        def n_vocab(self):
            return self.get_vocab().n_vocab

    model = Model(path)
    settings = llama_cpp.LlamaContextParams()
    settings.n_ctx = settings.n_batch = settings.n_ubatch = length
    settings.n_threads = settings.n_threads_batch = threads
    settings.type_k = settings.type_v = 0  # F32
    settings.flash_attn_type = 0
    context = llama_cpp.LlamaContext(model, settings)

    def ask(ids):
        context.kv_cache_clear()
        batch = llama_cpp.LlamaBatch(n_tokens=len(ids), embd=0, n_seq_max=1)
        for i, token in enumerate(ids):
            batch.add(token, i, [0], i + 1 < len(ids))
        context.decode(batch)
        total = 0.0
        for i, token in enumerate(ids[1:]):
            row = np.asarray(context.get_logits_ith(i), dtype=np.float64)
            best = row.max()
            total += row[token] - best - math.log(np.exp(row - best).sum())
        return total

    return ask


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lyceum")
    parser.add_argument("gguf")
    parser.add_argument("--only", choices=["logits", "gradients", "perplexity"])
    parser.add_argument("--count", type=int, default=len(LENGTHS), help="prompts")
    parser.add_argument("--new", type=int, default=12, help="greedy tokens")
    parser.add_argument("--bytes", type=int, default=8_000, help="of text whose perplexity is measured")
    parser.add_argument("--f32", help="the weights as F32, for llama.cpp: made where it does not exist")
    parser.add_argument("--kept", help="keeps what llama.cpp computed")
    parser.add_argument("--seconds", type=float, default=1e9, help="after which no further window is begun")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    check = Check(args)
    result, fits = {"file": pathlib.Path(args.gguf).name}, True
    with tempfile.TemporaryDirectory() as folder:
        for name in [args.only] if args.only else ["logits", "gradients", "perplexity"]:
            good, found = getattr(check, name)(pathlib.Path(folder))
            result |= found
            fits &= good
    print(json.dumps(result | {"seconds": round(time.perf_counter() - began), "fits": fits}))
    sys.exit(not fits)


main()
