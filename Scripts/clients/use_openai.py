"""The official OpenAI client against a running server: 15 flows. usage: use_openai.py URL BASE CHAT"""
import asyncio, json, sys
import openai, pydantic
from typing import Literal

url, base, chat = sys.argv[1:4]
client = openai.OpenAI(base_url=url + "/v1", api_key="any", max_retries=0, timeout=120)
hello = [{"role": "user", "content": "Say hello."}]
tool = {"type": "function", "function": {"name": "weather", "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string", "enum": ["Rome", "Oslo"]}},
                       "required": ["city"], "additionalProperties": False}}}


class Step(pydantic.BaseModel):
    kind: Literal["add", "subtract"]
    sure: bool
    digits: list[Literal[1, 2, 3]] = pydantic.Field(max_length=3)


def models():
    ids = [model.id for model in client.models.list()]
    assert base in ids and chat in ids, ids
    assert client.models.retrieve(base).id == base


def completion():
    answer = client.completions.create(model=base, prompt="abc", max_tokens=5, seed=1)
    assert answer.object == "text_completion" and answer.usage.completion_tokens <= 5
    assert answer._request_id.startswith("req-")


def completion_stream():
    parts = list(client.completions.create(model=base, prompt="abc", max_tokens=5, seed=1, stream=True))
    whole = client.completions.create(model=base, prompt="abc", max_tokens=5, seed=1)
    assert "".join(part.choices[0].text for part in parts if part.choices) == whole.choices[0].text


def completion_logprobs():
    answer = client.completions.create(model=base, prompt=[[1, 2, 3], [4, 5]], max_tokens=1, logprobs=5, echo=True)
    for choice, count in zip(answer.choices, (4, 3)):
        values = choice.logprobs
        assert len(values.tokens) == len(values.token_logprobs) == len(values.top_logprobs) == count
        assert values.token_logprobs[0] is None
        for value, top in list(zip(values.token_logprobs, values.top_logprobs))[1:]:
            assert value in top.values() and value <= max(top.values())


def completion_many():
    answer = client.completions.create(model=base, prompt="abc", max_tokens=3, n=3, best_of=4, seed=2)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]


def conversation():
    answer = client.chat.completions.create(model=chat, messages=hello, max_tokens=8, temperature=0)
    message = answer.choices[0].message
    assert message.role == "assistant" and isinstance(message.content, str)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def conversation_stream():
    stream = client.chat.completions.create(model=chat, messages=hello, max_tokens=8, temperature=0, stream=True,
                                            stream_options={"include_usage": True})
    parts = list(stream)
    whole = client.chat.completions.create(model=chat, messages=hello, max_tokens=8, temperature=0)
    text = "".join(part.choices[0].delta.content or "" for part in parts if part.choices)
    assert text == whole.choices[0].message.content, (text, whole)
    assert parts[-1].usage.completion_tokens > 0 and not parts[-1].choices


def conversation_logprobs():
    answer = client.chat.completions.create(model=chat, messages=hello, max_tokens=6, logprobs=True, top_logprobs=4)
    content = answer.choices[0].logprobs.content
    # A small model may break off within a character.
    text = b"".join(bytes(token.bytes) for token in content).decode(errors="replace")
    assert text == answer.choices[0].message.content
    assert all(len(token.top_logprobs) == 4 for token in content)


def parse():
    answer = client.chat.completions.parse(model=chat, messages=hello, max_tokens=100, response_format=Step, seed=3)
    assert isinstance(answer.choices[0].message.parsed, Step)


def tools():
    answer = client.chat.completions.create(model=chat, messages=hello, tools=[tool], tool_choice="required", max_tokens=60)
    call = answer.choices[0].message.tool_calls[0]
    assert call.function.name == "weather" and json.loads(call.function.arguments)["city"] in ("Rome", "Oslo")
    assert answer.choices[0].finish_reason == "tool_calls"
    more = hello + [answer.choices[0].message.model_dump(exclude_none=True),
                    {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    client.chat.completions.create(model=chat, messages=more, tools=[tool], max_tokens=4)


def tools_stream():
    with client.chat.completions.stream(model=chat, messages=hello, tools=[tool], max_tokens=60,
                                        tool_choice={"type": "function", "function": {"name": "weather"}}) as stream:
        kinds = [event.type for event in stream]
        call = stream.get_final_completion().choices[0].message.tool_calls[0]
    assert "tool_calls.function.arguments.done" in kinds, kinds
    assert json.loads(call.function.arguments)["city"] in ("Rome", "Oslo")


def responses():
    answer = client.responses.create(model=chat, input="Say hello.", max_output_tokens=6, temperature=0)
    assert answer.output_text is not None and answer.usage.output_tokens > 0
    kinds = [event.type for event in client.responses.create(
        model=chat, input="Say hello.", max_output_tokens=6, temperature=0, stream=True)]
    assert kinds[0] == "response.created" and kinds[-1] in ("response.completed", "response.incomplete"), kinds
    parsed = client.responses.parse(model=chat, input="Hi", max_output_tokens=100, text_format=Step)
    assert isinstance(parsed.output_parsed, Step)


def embeddings():
    packed = client.embeddings.create(model=base, input=["abc", "abd"])
    plain = client.embeddings.create(model=base, input=["abc", "abd"], encoding_format="float")
    for a, b in zip(packed.data, plain.data):
        assert max(abs(x - y) for x, y in zip(a.embedding, b.embedding)) < 1e-6
    assert abs(sum(x * x for x in plain.data[0].embedding) - 1) < 1e-4


def errors():
    def fails(kind, code, work):
        try:
            work()
        except kind as error:
            assert error.code == code, (error.code, code)
            assert error.body["message"] and error.request_id
            return error
        raise AssertionError(f"no {kind.__name__}")
    fails(openai.NotFoundError, "model_not_found", lambda: client.completions.create(model="no", prompt="a"))
    fails(openai.BadRequestError, "invalid_value", lambda: client.completions.create(model=base, prompt="a", temperature=3))
    fails(openai.BadRequestError, "context_length_exceeded",
          lambda: client.completions.create(model=base, prompt=[1] * 100_000))
    fails(openai.BadRequestError, "model_cannot_chat", lambda: client.chat.completions.create(model=base, messages=hello))
    fails(openai.BadRequestError, "invalid_json_schema", lambda: client.chat.completions.create(
        model=chat, messages=hello, response_format={"type": "json_schema", "json_schema": {
            "name": "x", "schema": {"type": "string", "pattern": "a"}}}))


def asynchronous():
    async def work():
        one = openai.AsyncOpenAI(base_url=url + "/v1", api_key="any", max_retries=0)
        ask = dict(model=base, prompt="abc", max_tokens=12, seed=5)
        answers = await asyncio.gather(*[one.completions.create(**ask) for _ in range(8)])
        assert len({answer.choices[0].text for answer in answers}) == 1
        stream = await one.chat.completions.create(model=chat, messages=hello, max_tokens=200, stream=True)
        async for _ in stream:
            break
        await stream.close()
    asyncio.run(work())


flows = [models, completion, completion_stream, completion_logprobs, completion_many, conversation, conversation_stream,
         conversation_logprobs, parse, tools, tools_stream, responses, embeddings, errors, asynchronous]
failed = 0
for flow in flows:
    try:
        flow()
        print(f"ok   openai {flow.__name__}")
    except Exception as error:
        failed += 1
        print(f"FAIL openai {flow.__name__}: {type(error).__name__}: {str(error)[:400]}")
print(f"{len(flows) - failed} of {len(flows)} flows of openai {openai.__version__}")
sys.exit(failed > 0)
