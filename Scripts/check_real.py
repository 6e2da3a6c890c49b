"""Compares what lyceum computes from a GGUF file with transformers on the same weights. For developers.

    venv/bin/pip install torch transformers gguf
    venv/bin/python Scripts/check_real.py .build/release/lyceum model.gguf

The file is dequantised into a float32 model of transformers: an independent reading of the same bytes.
Twenty prompts of 1 to 1,000 tokens, pseudo-random but plausible (each continues what the model itself
writes), then for each: the logits of the last token, the log-probability of every token, and a greedy
continuation, which must be equal up to where the best two logits are closer than the tolerance.
Known here: llama, qwen2, qwen3, gemma3.
"""
import argparse, json, pathlib, subprocess, sys, tempfile, time
import numpy as np
import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from transformers import AutoModelForCausalLM, AutoConfig

TOLERANCE = 1e-3
LENGTHS = [1, 2, 3, 5, 8, 13, 21, 34, 47, 48, 49, 64, 96, 97, 128, 200, 333, 511, 777, 1000]
LAYER = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm", "post_attention_norm": "post_attention_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm"}
WHOLE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def read(path):
    reader = GGUFReader(path)
    keys = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("tokenizer.")}
    arch = keys["general.architecture"]
    get = lambda key, default=None: keys.get(f"{arch}.{key}", default)
    heads, kv = get("attention.head_count"), get("attention.head_count_kv", get("attention.head_count"))
    state = {}
    for t in reader.tensors:
        name, _, suffix = t.name.rpartition(".")
        w = np.array(dequantize(t.data, t.tensor_type), dtype=np.float32).reshape([int(n) for n in t.shape[::-1]])
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
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model("gemma3_text" if arch == "gemma3" else arch, **config))
    missing, unexpected = model.float().load_state_dict(state, strict=False)
    assert not missing and not unexpected, (missing, unexpected)
    return model.eval()


def prompts(model, count):
    """Token ids: a random beginning, then what the model itself draws, so that every text is of its kind."""
    torch.manual_seed(1)
    lists = []
    for length in LENGTHS[:count]:
        ids = torch.randint(100, 20000, (1, 1))
        cache = None
        while ids.shape[1] < length:
            out = model(input_ids=ids if cache is None else ids[:, -1:], past_key_values=cache, use_cache=True)
            cache = out.past_key_values
            ids = torch.cat([ids, torch.multinomial(out.logits[:, -1].softmax(-1), 1)], 1)
        lists.append(ids[0].tolist())
    return lists


def expected(model, ids, new):
    out = model(input_ids=torch.tensor([ids]), use_cache=True)
    logits, cache = out.logits[0], out.past_key_values
    logp = logits.double().log_softmax(-1)
    row, greedy, gaps = logits[-1], [], []
    for _ in range(new):
        best = torch.topk(row, 2)
        greedy.append(int(best.indices[0]))
        gaps.append(float(best.values[0] - best.values[1]))
        out = model(input_ids=torch.tensor([greedy[-1:]]), past_key_values=cache, use_cache=True)
        row, cache = out.logits[0, -1], out.past_key_values
    return logits[-1].numpy().copy(), [logp[i, t].item() for i, t in enumerate(ids[1:])], greedy, gaps


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lyceum")
    parser.add_argument("gguf")
    parser.add_argument("--count", type=int, default=len(LENGTHS), help="prompts")
    parser.add_argument("--new", type=int, default=32, help="greedy tokens")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with torch.inference_mode():
        model = read(args.gguf)
        lists = prompts(model, args.count)
        cases = [expected(model, ids, args.new) for ids in lists]
    vocabulary = model.config.vocab_size
    del model
    with tempfile.TemporaryDirectory() as folder:
        ids, out = pathlib.Path(folder) / "ids.json", pathlib.Path(folder) / "logits.bin"
        ids.write_text(json.dumps(lists))
        start = time.perf_counter()
        run = subprocess.run([args.lyceum, "parity", args.gguf, str(ids), "--new", str(args.new), "--logits", str(out),
            "--threads", str(args.threads)], capture_output=True, text=True)
        if run.returncode:
            sys.exit(run.stderr)
        seconds = time.perf_counter() - start
        logits = np.fromfile(out, "<f4").reshape(len(lists), vocabulary)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    worst, worst_logp, wrong = 0.0, 0.0, []
    for i, (ours, (row, logp, greedy, gaps)) in enumerate(zip(lines, cases)):
        difference = float(np.abs(logits[i] - row).max())
        difference_logp = max((abs(a - b) for a, b in zip(ours["logprobs"], logp)), default=0.0)
        same = next((k for k in range(args.new) if ours["greedy"][k] != greedy[k]), args.new)
        excused = same == args.new or gaps[same] < TOLERANCE
        print(f"{len(lists[i]):5d} tokens: logits {difference:.1e}, log-probabilities {difference_logp:.1e}, "
            f"greedy {same}/{args.new}" + ("" if same == args.new else f", gap there {gaps[same]:.1e}"))
        worst, worst_logp = max(worst, difference), max(worst_logp, difference_logp)
        if not excused:
            wrong.append(i)
    print(json.dumps({"file": pathlib.Path(args.gguf).name, "prompts": len(lists), "max_logit_difference": worst,
        "max_logprob_difference": worst_logp, "greedy_wrong": wrong, "lyceum_seconds": round(seconds, 1),
        "ours": run.stderr.strip()}))
    sys.exit(not (worst < TOLERANCE and worst_logp < TOLERANCE and not wrong))


main()
