"""Conversations as ids, by a checkpoint's chat template. Only here does text become special tokens.

A template writes roles and special tokens around what was said, but what a user typed may contain
the same letters, "<|im_end|>" for instance. To keep the two apart, the first letter of each special
token in a message is replaced by a stand-in, a private character that nothing else contains, before
the template is rendered. What still reads as a special token is then the template's own, and
becomes one id. The texts between them get their letters back and are encoded like any other text.
(A template that recombines the letters of a message could still write one; none is known to.)
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import tokenizers

from ..tokenize import Tokenizer, check_text
from .config import read_json

STAND_INS = range(0xF0000, 0x110000)  # Unicode's private planes

VARIABLES = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token",
             "mask_token")  # fmt: skip
Special = dict[str, tuple[int, tokenizers.AddedToken]]


class ChatTemplate(NamedTuple):
    """The template's source (Jinja), and the texts it knows by name, such as bos_token."""

    source: str
    variables: dict[str, str]


def read_chat_template(folder: Path) -> ChatTemplate | None:
    """The chat template of a folder: its own file, or a field of tokenizer_config.json."""
    path, alone = folder / "tokenizer_config.json", folder / "chat_template.jinja"
    config = read_json(path) if path.is_file() else {}
    source = alone.read_text("utf-8") if alone.is_file() else config.get("chat_template")
    if isinstance(source, list):  # several, for tools and the like
        named = {one.get("name"): one.get("template") for one in source if isinstance(one, dict)}
        source = named.get("default")
    if not isinstance(source, str):
        return None
    tokens = {name: config.get(name) for name in VARIABLES}
    texts = {name: t.get("content") if isinstance(t, dict) else t for name, t in tokens.items()}
    return ChatTemplate(source, {name: t for name, t in texts.items() if isinstance(t, str)})


def chat_ids(
    tokenizer: Tokenizer, messages: Sequence[dict], add_generation_prompt: bool = True, **more
) -> list[int]:
    """A conversation -> ids, by the checkpoint's chat template.

    Args:
        tokenizer: that of a checkpoint with a chat template.
        messages: [{"role": "user", "content": "What is machine learning?"}, ...].
        add_generation_prompt: end with the beginning of the assistant's answer.
        more: further variables that the template knows, such as Qwen3's `enable_thinking`.

    Returns:
        the ids that `transformers` gives, except that a special token inside a message is text.

    Raises:
        ValueError: there is no template, or it does not take these messages.
        ImportError: jinja2 is missing.
    """
    template = tokenizer.chat_template
    if template is None:
        raise ValueError("this tokenizer has no chat template: its model was not made to chat")
    special = special_tokens(tokenizer)
    given = plain({"messages": list(messages), **more})
    check_roles(given["messages"], special)
    letters = stand_ins(special, json.dumps(given, ensure_ascii=False) + template.source)
    hidden = hide(given, special, letters)
    for message, shown in zip(given["messages"], hidden["messages"], strict=True):
        shown["role"] = message["role"]
    text = render(template, add_generation_prompt=add_generation_prompt, **hidden)
    return encode(tokenizer, text, special, {char: letter for letter, char in letters.items()})


def special_tokens(tokenizer: Tokenizer) -> Special:
    """The texts of the special tokens, their ids, and whether they swallow spaces beside them."""
    added = tokenizer.backend.get_added_tokens_decoder()
    return {token.content: (i, token) for i, token in added.items() if token.special}


def plain(value):
    """The value in JSON's types only: a template is others' code and may touch nothing else.

    Raises:
        ValueError: JSON cannot hold the value.
    """
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError) as error:
        raise ValueError(f"messages must be what JSON can hold: {error}") from None


def check_roles(messages: list, special: Special) -> None:
    """Refuse messages without a plain role, since a template may put it into a special token.

    Raises:
        ValueError: a message has no role, or a special token in it.
    """
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(role, str) or any(token in role for token in special):
            raise ValueError(
                'each message must be a dictionary such as {"role": "user", "content": "Hello"}, '
                f"whose role is plain text; got {message!r:.80}"
            )


def stand_ins(special: Special, texts: str) -> dict[str, str]:
    """The first letters of the special tokens -> characters that do not occur in the texts."""
    used = set(texts)
    free = (char for char in map(chr, STAND_INS) if char not in used)
    return dict(zip(sorted({token[0] for token in special}), free, strict=False))


def hide(value, special: Special, letters: dict[str, str]):
    """The same values, with no special token beginning anywhere in their texts."""
    if isinstance(value, dict):
        return {hide(k, special, letters): hide(v, special, letters) for k, v in value.items()}
    if isinstance(value, list):
        return [hide(item, special, letters) for item in value]
    if not isinstance(value, str):
        return value
    check_text(value)
    starts = {found.start() for found in re.finditer(f"(?={alternatives(special)})", value)}
    end = value.rstrip()  # it may end with part of a special token that the next text would finish
    for i in range(max(0, len(end) - max(map(len, special), default=0)), len(end)):
        if any(token.startswith(end[i:]) for token in special):
            starts.add(i)
    return "".join(letters[char] if i in starts else char for i, char in enumerate(value))


def alternatives(special: Special) -> str:
    """A pattern for any special token; where one begins with another, the longer one matches."""
    if not special:
        return "(?!)"
    return "|".join(re.escape(token) for token in sorted(special, key=len, reverse=True))


def render(template: ChatTemplate, **values) -> str:
    """The text of a conversation, in Jinja's sandbox with the settings of `transformers`.

    Raises:
        ValueError: the template does not take these messages.
        ImportError: jinja2 is missing.
    """
    try:
        from jinja2 import TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ImportError:
        raise ImportError("to render a chat template, pip install jinja2") from None

    def refuse(message):
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = lambda value, **options: json.dumps(
        value, **{"ensure_ascii": False, **options}
    )
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    try:
        return environment.from_string(template.source).render(**template.variables | values)
    except Exception as error:  # of any kind: a template is a program
        raise ValueError(f"the chat template does not take these messages: {error}") from None


def encode(tokenizer: Tokenizer, text: str, special: Special, back: dict[str, str]) -> list[int]:
    """A rendered text -> ids: special tokens as one id each, the rest as plain text."""
    ids, backend = [], tokenizer.backend
    parts = re.split(f"({alternatives(special)})", text)  # plain, special, plain, ..., plain
    for i, part in enumerate(parts):
        if i % 2:
            ids.append(special[part][0])
            backend = without_prefix(backend)
            continue
        if i > 0 and special[parts[i - 1]][1].rstrip:
            part = part.lstrip()
        if i + 1 < len(parts) and special[parts[i + 1]][1].lstrip:
            part = part.rstrip()
        part = part.translate(str.maketrans(back))
        ids += backend.encode(part, add_special_tokens=False).ids
    return ids


def without_prefix(backend: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    """The tokenizer for what follows the first part, if only a text's first part gets a space."""
    splitter = backend.pre_tokenizer
    if getattr(splitter, "prepend_scheme", None) != "first":
        return backend
    copy = tokenizers.Tokenizer.from_str(backend.to_str())
    copy.encode_special_tokens = True
    copy.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(
        splitter.replacement, prepend_scheme="never", split=splitter.split
    )
    return copy
