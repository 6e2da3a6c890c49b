"""lm-eval's local-completions with the remote tokenizer: its log-likelihoods are those of `lyceum score`.
usage: use_lm_eval.py URL MODEL LYCEUM PATH, where PATH is the served model, the only one of the server."""
import json, math, subprocess, sys, tempfile, types
from lm_eval.models.openai_completions import LocalCompletionsAPI

url, model, lyceum, path = sys.argv[1:5]
lm = LocalCompletionsAPI(model=model, base_url=url + "/v1/completions", tokenizer_backend="remote",
                         max_length=256, batch_size=4)
# `lyceum score` begins every text as the model's texts begin; lm-eval leaves that out.
info = lm.tokenizer.tokenizer_info
opening = [special["id"] for special in info["special"] if special["text"] == info["bos_token"]]
plain = lm.tokenizer.encode
lm.tokenizer.encode = lambda text: opening + plain(text)
items = [(f"Line {i} of book {i % 7}:", f" {i % 9} birds sat on {i + 3} trees.") for i in range(20)]
requests = [types.SimpleNamespace(args=item, arguments=item, task_name="items") for item in items]
worst = 0.0
for (context, rest), (value, greedy) in zip(items, lm.loglikelihood(requests, disable_tqdm=True)):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(context + rest)
        file.flush()
        tokens = json.loads(subprocess.run([lyceum, "score", "--model", path, file.name, "--json"],
                                           check=True, capture_output=True, text=True).stdout)["tokens"]
    skipped = len(lm.tok_encode(context))
    own = sum(token["logprob"] for token in tokens[skipped:])
    worst = max(worst, abs(own - value))
    assert math.isfinite(value) and isinstance(greedy, bool)
assert worst < 1e-4, f"a log-likelihood differs by {worst}"
text = lm.generate_until([types.SimpleNamespace(args=("Line 1", {"until": ["."], "max_gen_toks": 8}))], disable_tqdm=True)
assert "." not in text[0]
print(f"ok   lm-eval: {len(items)} log-likelihoods, at most {worst:.1e} from the in-process ones")
