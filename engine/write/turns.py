"""A conversation as the tokens that a model was trained on: its own template, or a plain one where it has none.

What is said is data: the marks that part turns and end texts, where somebody wrote them into a message, are pulled
apart, so that no text from a prompt or a file speaks in another's name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .model import Message, WriterError

_THINKING = re.compile(r"<(think|thinking|reasoning)>\s*\Z")


def tokens(tokenizer: Any, messages: Sequence[Message], name: str) -> list[int]:
    """The prompt as tokens. Raises WriterError where the model's template will not have it."""
    plain = [message._replace(text=apart(tokenizer, message.text)) for message in messages]
    if not getattr(tokenizer, "chat_template", None):
        return list(tokenizer(without_template(plain)).input_ids)
    text = _templated(tokenizer, plain, name)
    if thinking := _THINKING.search(text):  # It would think first; the answer has no room for that.
        text = f"{text.rstrip()}\n\n</{thinking[1]}>\n\n"
    return list(tokenizer(text, add_special_tokens=False).input_ids)


def apart(tokenizer: Any, text: str) -> str:
    """A text without the tokenizer's marks: a space stands in each."""
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    marks = {token.content for token in added if token.special or token.content[:1] in "<["}
    found = sorted((mark for mark in marks if len(mark) > 1 and not mark.isspace()), key=len, reverse=True)
    if not found:
        return text
    return re.sub("|".join(map(re.escape, found)), lambda mark: f"{mark[0][0]} {mark[0][1:]}", text)


def without_template(messages: Sequence[Message]) -> str:
    """What a model is given that was never taught to converse."""
    names = {"system": "Instructions", "user": "Request", "assistant": "Answer"}
    turns = [f"### {names[message.role]}\n\n{message.text.strip()}\n\n" for message in messages]
    return "".join([*turns, "### Answer\n\n"])


def _templated(tokenizer: Any, messages: Sequence[Message], name: str) -> str:
    """Through the model's template; one that knows no system hears it from the user."""
    problem: Exception = ValueError("no way to put it")
    for turns in (messages, folded(messages)):
        said = [{"role": message.role, "content": message.text} for message in turns]
        try:
            options = {"tokenize": False, "add_generation_prompt": True, "enable_thinking": False}
            return str(tokenizer.apply_chat_template(said, **options))
        except Exception as refused:  # A stranger's template raises what it likes.
            problem = refused
    first = next(iter(str(problem).splitlines()), type(problem).__name__)
    raise WriterError(f"the chat template of {name} cannot be used: {first}", "use another copy of the model")


def folded(messages: Sequence[Message]) -> list[Message]:
    """The conversation with what its system says at the head of the first request."""
    system = "\n\n".join(message.text for message in messages if message.role == "system")
    rest = [message for message in messages if message.role != "system"]
    if not system or not rest:
        return [Message("user", system), *rest] if system else rest
    return [rest[0]._replace(text=f"{system}\n\n{rest[0].text}"), *rest[1:]]
