"""Inspect against a running server: five samples by chat and by completions. usage: use_inspect.py URL BASE CHAT"""
import os, sys
url, base, chat = sys.argv[1:4]
os.environ |= {"OWN_API_KEY": "any", "OWN_BASE_URL": url + "/v1", "INSPECT_DISPLAY": "none"}
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes
from inspect_ai.solver import generate

samples = [Sample(input=f"How many is {i}?", target=str(i)) for i in range(5)]
for model in (f"openai-api/own/{chat}", f"openai-api-completions/own/{base}"):
    log = eval(Task(dataset=samples, solver=generate(), scorer=includes()), model=model, max_tokens=6,
               temperature=0, max_retries=0, log_dir=sys.argv[4] if len(sys.argv) > 4 else "logs")[0]
    assert log.status == "success" and log.results.completed_samples == 5, log.error
print("ok   inspect-ai: five samples by chat and by completions")
