"""LangChain's ChatOpenAI against a running server. usage: use_langchain.py URL CHAT"""
import sys
from typing import Literal
import pydantic
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

url, chat = sys.argv[1:3]
model = ChatOpenAI(base_url=url + "/v1", api_key="any", model=chat, max_tokens=60, temperature=0, max_retries=0)


class Weather(pydantic.BaseModel):
    """The weather in a city."""
    city: Literal["Rome", "Oslo"]


answer = model.invoke("Say hello.")
assert isinstance(answer.content, str) and answer.usage_metadata["total_tokens"] > 0
parts = list(model.stream("Say hello.", stream_usage=True))
assert "".join(part.content for part in parts) == answer.content
assert any(part.usage_metadata for part in parts)
call = model.bind_tools([Weather], tool_choice="Weather").invoke("The weather?").tool_calls[0]
assert call["name"] == "Weather" and call["args"]["city"] in ("Rome", "Oslo")
assert isinstance(model.with_structured_output(Weather, method="json_schema").invoke("The weather?"), Weather)
assert isinstance(model.with_structured_output(Weather, method="function_calling").invoke("The weather?"), Weather)
vectors = OpenAIEmbeddings(base_url=url + "/v1", api_key="any", model=chat, check_embedding_ctx_length=False).embed_documents(["a", "b"])
assert len(vectors) == 2 and len(vectors[0]) == len(vectors[1]) > 0
print("ok   langchain-openai: invoke, stream, tools, structured output, embeddings")
