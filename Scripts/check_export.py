"""Opens a model folder in Hugging Face transformers and compares log-probabilities. For developers.

    venv/bin/pip install torch transformers
    venv/bin/python Scripts/check_export.py .build/release/lyceum runs/tour/model "C2H6O is 2 C, 6 H"
"""
import json, subprocess, sys, tempfile
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

lyceum, folder, text = sys.argv[1:4]
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
tokenizer = AutoTokenizer.from_pretrained(folder)
with tempfile.NamedTemporaryFile("w", suffix=".txt") as f:
    f.write(text)
    f.flush()
    out = subprocess.run([lyceum, "score", "--model", folder, f.name, "--json"], capture_output=True, check=True).stdout
ours = json.loads(out.splitlines()[-1])["tokens"]
ids = [t["id"] for t in ours]
theirs = tokenizer.encode("<|bos|>" + text, add_special_tokens=False)
assert ids == theirs, (ids, theirs)
with torch.no_grad():
    logp = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), -1)
worst = max(abs(logp[i, ids[i + 1]].item() - ours[i + 1]["logprob"]) for i in range(len(ids) - 1))
chat = tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], add_generation_prompt=True, tokenize=False)
print(f"{type(model).__name__}: {len(ids)} equal ids, largest difference of a log-probability {worst:.1e}")
print("chat template:", chat)
sys.exit(worst > 1e-3)
