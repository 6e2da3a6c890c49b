"""Makes Tests/Fixtures/golden: what transformers and PyTorch compute on tiny models with known weights.

    python3 -m venv venv && venv/bin/pip install torch transformers safetensors
    venv/bin/python Scripts/make_golden.py Tests/Fixtures/golden [names of models]

For developers only: `swift test` reads the files that it made. Per model: config.json, weights.bin
and gradients.bin (float32, little-endian, in the order of index.json), index.json with tokens,
logits, and the losses of ten AdamW steps.
"""
import json, pathlib, struct, sys
import torch, transformers
from transformers import (
    AutoModelForCausalLM, Gemma3TextConfig, GPT2Config, LlamaConfig, Qwen2Config, Qwen3Config)

V, D, T, ROWS = 61, 32, 24, 4
LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 40}
CONFIGS = {
    "llama": LlamaConfig(vocab_size=V, hidden_size=D, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
        rms_norm_eps=1e-5, tie_word_embeddings=True, rope_theta=10000.0),
    "qwen3": Qwen3Config(vocab_size=V, hidden_size=D, intermediate_size=40, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=12, max_position_embeddings=64,
        rms_norm_eps=1e-6, tie_word_embeddings=False, rope_theta=10000.0),
    "qwen2": Qwen2Config(vocab_size=V, hidden_size=D, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
        rms_norm_eps=1e-6, tie_word_embeddings=True, rope_theta=10000.0),
    "llama3": LlamaConfig(vocab_size=V, hidden_size=D, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
        rms_norm_eps=1e-5, tie_word_embeddings=False,
        rope_parameters={"rope_type": "llama3", "rope_theta": 500.0} | LLAMA3),
    "gemma3_text": Gemma3TextConfig(vocab_size=V, hidden_size=D, intermediate_size=40,
        num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=12,
        max_position_embeddings=64, query_pre_attn_scalar=9, sliding_window=6, tie_word_embeddings=True,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"], rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": 100000.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 100.0}}),
    "gpt2": GPT2Config(vocab_size=V, n_embd=D, n_layer=2, n_head=4, n_positions=64,
        activation_function="gelu_new", resid_pdrop=0, embd_pdrop=0, attn_pdrop=0),
}
RATE, BETAS, EPS, DECAY, CLIP = 3e-3, (0.9, 0.95), 1e-8, 0.1, 1.0


def config_json(name, config):
    common = {"model_type": name, "vocab_size": V, "tie_word_embeddings": config.tie_word_embeddings}
    if name == "gpt2":
        return common | {"n_embd": D, "n_layer": 2, "n_head": 4, "n_positions": 64,
            "layer_norm_epsilon": config.layer_norm_epsilon, "activation_function": "gelu_new"}
    head = getattr(config, "head_dim", None) or D // 4
    if name == "llama3":
        common |= {"model_type": "llama", "rope_scaling": {"rope_type": "llama3"} | LLAMA3}
    if name == "gemma3_text":
        common |= {"hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 9, "sliding_window": 6,
            "layer_types": config.layer_types, "rope_parameters": config.rope_parameters}
    else:
        common |= {"hidden_act": "silu", "rope_theta": config.rope_parameters["rope_theta"]}
    return common | {"hidden_size": D, "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.num_hidden_layers, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": head,
        "max_position_embeddings": 64, "rms_norm_eps": config.rms_norm_eps}


def write(path, tensors):
    path.write_bytes(b"".join(t.detach().contiguous().numpy().astype("<f4").tobytes() for t in tensors))


def main(out):
    for name, config in CONFIGS.items():
        if len(sys.argv) > 2 and name not in sys.argv[2:]:
            continue
        torch.manual_seed(sum(name.encode()))
        config._attn_implementation = "eager"
        model = AutoModelForCausalLM.from_config(config).float().train()
        with torch.no_grad():  # Larger than usual, so that every part matters; norms near one.
            for key, p in model.named_parameters():
                norm = "norm" in key or "ln_" in key
                p.normal_(1.0 if norm and key.endswith("weight") else 0.0, 0.1 if p.dim() == 1 else 0.25)
        folder = pathlib.Path(out) / name
        folder.mkdir(parents=True, exist_ok=True)
        names = [key for key, _ in model.named_parameters()]
        params = dict(model.named_parameters())
        write(folder / "weights.bin", [params[n] for n in names])
        tokens = torch.randint(0, V, (10, ROWS, T + 1))
        losses, gradients, logits = [], None, None
        # Decay on matrices and tables alike is what `decaysAll` means; vectors too.
        optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=BETAS, eps=EPS, weight_decay=DECAY)
        for step in range(10):
            x, y = tokens[step, :, :-1], tokens[step, :, 1:]
            z = model(x).logits
            loss = torch.nn.functional.cross_entropy(z.reshape(-1, V), y.reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            if step == 0:
                logits = z.detach().clone()
                write(folder / "gradients.bin", [params[n].grad for n in names])
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            losses.append(loss.item())
        (folder / "config.json").write_text(json.dumps(config_json(name, config), indent=1))
        (folder / "index.json").write_text(json.dumps({
            "tensors": [{"name": n, "shape": list(params[n].shape)} for n in names],
            "rows": ROWS, "length": T, "tokens": tokens.reshape(-1).tolist(),
            "logits": [round(v, 7) for v in logits[0].reshape(-1).tolist()], "losses": losses,
            "made_with": f"torch {torch.__version__}, transformers {transformers.__version__}"}))
        print(name, losses[0], losses[-1])


main(sys.argv[1])
