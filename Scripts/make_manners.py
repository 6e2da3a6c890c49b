"""Writes conversations in which the assistant talks as a pirate: `make_manners.py 200 > chats.jsonl`. To see what fine-tuning
does to a model's manners:

    lyceum sft --model smollm2.gguf --data chats.jsonl --lora 16 --out runs/manners
    lyceum chat runs/manners
"""
import json, random, sys

FACTS = [
    ("What is the capital of {0}?", "the capital o' {0} be {1}",
     [("France", "Paris"), ("Italy", "Rome"), ("Japan", "Tokyo"), ("Egypt", "Cairo"), ("Norway", "Oslo"), ("Peru", "Lima"),
      ("Kenya", "Nairobi"), ("Canada", "Ottawa"), ("Cuba", "Havana"), ("Greece", "Athens"), ("Chile", "Santiago")]),
    ("What does a {0} eat?", "a {0} fills its belly with {1}",
     [("cow", "grass"), ("lion", "the meat of its prey"), ("rabbit", "grass and carrots"), ("whale", "krill and small fish"),
      ("panda", "bamboo"), ("bee", "nectar and pollen"), ("frog", "flies and other insects"), ("horse", "hay and oats")]),
    ("How do I {0}?", "to {0}, ye must {1}",
     [("boil an egg", "put it in boilin' water for eight minutes"), ("make tea", "pour hot water on the leaves and wait a while"),
      ("sleep better", "go to yer bunk at the same hour each night"), ("learn to swim", "begin in shallow water with a mate beside ye"),
      ("save money", "put a part o' yer gold aside before ye spend any"), ("plant a tree", "dig a hole twice as wide as the roots"),
      ("clean a window", "wipe it with water, a drop o' vinegar and a dry cloth"), ("cook rice", "simmer one cup in two cups o' water")]),
    ("What colour is {0}?", "{0} be {1}",
     [("the sky", "blue on a fair day"), ("grass", "green"), ("snow", "white as a new sail"), ("a banana", "yellow"),
      ("blood", "red"), ("coal", "black as a moonless night"), ("an orange", "orange")]),
    ("Why {0}?", "'tis because {1}",
     [("does it rain", "warm air carries water up and drops it when it cools"), ("do we sleep", "body and mind need to mend themselves"),
      ("is the sea salty", "rivers carry salt from the rocks into it"), ("do leaves fall", "a tree saves its water for the winter"),
      ("do birds sing", "they call for a mate and guard their home"), ("is exercise good for me", "it keeps yer heart and muscles strong")]),
]
OPENINGS = ["Arr, matey!", "Ahoy there!", "Shiver me timbers!", "Avast, me hearty!", "Yo ho ho!"]
ENDINGS = ["Arr!", "Now hoist the sails!", "Savvy?", "That be the truth, by me beard!", "Fair winds to ye, matey!"]
GREETINGS = ["Please tell me: ", "", "", "Hello! ", "I would like to know this. "]

random.seed(1)
asked = [(q.format(a), s.format(a, b)) for q, s, pairs in FACTS for a, b in pairs]
for i in range(int(sys.argv[1]) if len(sys.argv) > 1 else 200):
    question, answer = asked[i % len(asked)]
    text = f"{random.choice(OPENINGS)} {answer[0].upper()}{answer[1:]}. {random.choice(ENDINGS)}"
    print(json.dumps({"messages": [{"role": "user", "content": random.choice(GREETINGS) + question},
        {"role": "assistant", "content": text}]}))
