"""Tokenizers like those of public checkpoints give the ids and texts of `transformers`.

Small ones trained on the spot, of the kinds of GPT-2, Pythia, Llama 3, Qwen2, SmolLM, Llama 2
and Gemma.
"""

import json

import pytest
import tokenizers
from checkpoints import OTHERS, change_config, saved_model
from questions import training_texts
from tokenizer_makes import MAKES, TEXTS, gpt2
from tokenizers import decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.processors import RobertaProcessing, Sequence, TemplateProcessing
from transformers import AutoTokenizer, LlamaConfig

import oneprompt as op
from oneprompt.tokenize import BYTE_TO_CHAR

N_IDS = 420  # of the model: more than any of the tokenizers has


@pytest.fixture(scope="module", params=MAKES)
def made(request, tmp_path_factory):
    """The kind, what `load_pretrained` gives for such a checkpoint, and their tokenizer."""
    folder = tmp_path_factory.mktemp(request.param)
    saved_model(folder, LlamaConfig, OTHERS | {"vocab_size": N_IDS})
    backend, eos = MAKES[request.param]()
    backend.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": eos})
    )
    (folder / "generation_config.json").unlink()
    change_config(folder, eos_token_id=[backend.token_to_id(eos), 3])
    model, tokenizer = op.load_pretrained(folder)
    return request.param, model, tokenizer, AutoTokenizer.from_pretrained(folder)


def test_ids_are_those_of_transformers(made):
    name, _, ours, theirs = made
    for text in [*TEXTS, *training_texts(30)]:
        ids = ours.encode(text)
        assert ids == theirs(text, add_special_tokens=False).input_ids, repr(text)
        assert [*ours.start_ids, *ids] == theirs(text).input_ids
    assert len(ours.start_ids) == (name in ("llama3", "llama2", "gemma"))


def test_texts_are_those_of_transformers(made):
    """SentencePiece puts a space in front of a text, which we keep and they remove."""
    name, _, ours, theirs = made
    for text in [*TEXTS, *training_texts(30)]:
        ids = ours.encode(text)
        space = " " if name == "llama2" and text else ""
        marked = [*ours.start_ids, *ids, ours.eos_id]
        assert ours.decode(marked) == ours.decode(ids)  # special tokens are not text
        assert ours.decode(ids) == space + theirs.decode(ids, skip_special_tokens=True)
        if name in ("gpt2", "llama3", "llama2"):  # the others normalize
            assert ours.decode(ids) == space + text


def test_streamed_text_keeps_its_spaces(made):
    _, _, ours, _ = made
    ids = ours.encode("What is machine learning? 🙂 中")
    assert "".join(op.stream_text(ours, ids)) == ours.decode(ids)


def test_the_vocabulary_has_a_token_for_every_row_of_the_model(made):
    """The rows that only pad the table have no bytes."""
    _, model, ours, theirs = made
    assert ours.vocab_size == model.config.vocab_size == N_IDS > len(theirs)
    assert ours.token_bytes(N_IDS - 1) == b""
    assert ours.decode([N_IDS - 1, *ours.encode("a")]).strip() == "a"
    with pytest.raises(ValueError, match=f"token id {N_IDS} is outside the vocabulary"):
        ours.decode([N_IDS])
    assert ours.eos_id == theirs.eos_token_id == model.eos_id[0]


def test_typed_special_tokens_are_plain_text(made):
    _, _, ours, theirs = made
    for token in theirs.all_special_tokens:
        ids = ours.encode(f"a {token} b")
        assert not any(ours.is_special(token_id) for token_id in ids)
        assert ours.decode(ids).strip() == f"a {token} b"


def test_our_bpe_has_the_same_ids_or_says_why_not(made):
    name, _, ours, _ = made
    if name != "gpt2":
        with pytest.raises(ValueError, match="does not split text as GPT-2's"):
            ours.byte_pair_encoding()
        return
    bpe = ours.byte_pair_encoding()
    for text in TEXTS:
        assert bpe.encode(text) == ours.encode(text)
        assert bpe.decode(bpe.encode(text)) == text


def template(form: str, ids: dict[str, int]) -> TemplateProcessing:
    used = [(token, token_id) for token, token_id in ids.items() if token in form]
    return TemplateProcessing(single=form, special_tokens=used)


@pytest.mark.parametrize(
    ("form", "right"),
    [
        ("<s> $A </s>", ["<s>"]),
        ("$A </s>", []),
        ("<s> $A", ["<s>"]),
        ("$A", []),
        ("<s> </s> $A </s>", ["<s>", "</s>"]),
        ("</s> $A <s> <s>", ["</s>"]),
    ],
)
@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: Sequence([byte_offsets(), one])])
def test_start_ids_are_those_in_front_of_a_text(form, right, wrap, tmp_path):
    """A template may put ids in front of a text, after it, or both."""
    backend, _ = gpt2()
    backend.add_special_tokens(["<s>", "</s>"])
    ids = {token: backend.token_to_id(token) for token in ("<s>", "</s>")}
    backend.post_processor = wrap(template(form, ids))
    backend.save(str(tmp_path / "tokenizer.json"))
    tokenizer = op.load_tokenizer(tmp_path / "tokenizer.json")
    assert tokenizer.start_ids == [ids[token] for token in right]
    for text in ("Hey", " a", "1\n"):
        found = backend.encode(text).ids
        assert found[: len(right)] + tokenizer.encode(text) == found[: len(found) - behind(form)]


def byte_offsets():
    """Llama 3's first processor, which adds no ids."""
    return tokenizers.processors.ByteLevel(trim_offsets=False)


def behind(form: str) -> int:
    return len(form.split("$A")[1].split())


def test_roberta_has_a_start_id(tmp_path):
    backend, _ = gpt2()
    backend.add_special_tokens(["<s>", "</s>"])
    pairs = [(token, backend.token_to_id(token)) for token in ("</s>", "<s>")]
    backend.post_processor = RobertaProcessing(*pairs)
    assert op.Tokenizer(backend).start_ids == [pairs[1][1]]


def test_start_ids_are_found_where_the_letter_a_has_no_id():
    """Its encoding is then empty, and cannot tell what comes in front from what comes after."""
    backend = tokenizers.Tokenizer(BPE(vocab={"b": 0}, merges=[]))
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(["<s>", "</s>"])
    backend.post_processor = template("<s> $A </s>", {"<s>": 1, "</s>": 2})
    assert op.Tokenizer(backend).start_ids == [1]


def raw_characters() -> tokenizers.Tokenizer:
    """All bytes, and two tokens with characters that represent no byte, as in some checkpoints."""
    tokens = [*sorted(BYTE_TO_CHAR.values()), "日", "本", "日本", "aé日"]
    vocab = {token: token_id for token_id, token in enumerate(tokens)}
    backend = tokenizers.Tokenizer(BPE(vocab=vocab, merges=[("日", "本")]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return backend


def test_a_token_with_a_raw_character_is_its_own_text(tmp_path):
    backend = raw_characters()
    backend.save(str(tmp_path / "tokenizer.json"))
    ours = op.load_tokenizer(tmp_path / "tokenizer.json")
    bpe = ours.byte_pair_encoding()
    for ids in ([258], [259], [258, 64], [0, 258, 256, 1], list(range(260))):
        assert ours.decode(ids) == bpe.decode(ids) == backend.decode(ids), ids
    assert ours.tokens("日本") == ["\ufffd"] * 6
    for text in (*TEXTS, "日本 aé日"):
        assert bpe.encode(text) == ours.encode(text) == backend.encode(text).ids
        assert bpe.decode(bpe.encode(text)) == ours.decode(ours.encode(text)) == text


def word_piece() -> tokenizers.Tokenizer:
    """BERT's kind."""
    vocab = {"[UNK]": 0, "hello": 1, "##s": 2}
    backend = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocab=vocab, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    return backend


def ends_of_words() -> tokenizers.Tokenizer:
    """GPT-1's kind."""
    backend = tokenizers.Tokenizer(BPE(vocab={"a</w>": 0}, merges=[], end_of_word_suffix="</w>"))
    backend.decoder = decoders.BPEDecoder(suffix="</w>")
    return backend


def words() -> tokenizers.Tokenizer:
    vocab = {"[UNK]": 0, "hello": 1}
    return tokenizers.Tokenizer(tokenizers.models.WordLevel(vocab=vocab, unk_token="[UNK]"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (word_piece, "this is a WordPiece tokenizer that marks parts of words by '##'; only"),
        (ends_of_words, "this is a BPE tokenizer that marks parts of words by '</w>'; only"),
        (words, "this is a WordLevel tokenizer; only byte-level BPE"),
        (lambda: tokenizers.Tokenizer(BPE()), "this is a BPE tokenizer; only byte-level BPE"),
    ],
)
def test_tokenizers_whose_tokens_do_not_join_into_text_are_refused(make, words, tmp_path):
    make().save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ValueError, match=rf"tokenizer\.json: {words}"):
        op.load_tokenizer(tmp_path / "tokenizer.json")
