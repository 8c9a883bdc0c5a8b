"""The config.json of a public checkpoint: its fields, checked, and our config made from them."""

import json
from pathlib import Path

from ..model import ModelConfig
from .families import FAMILIES, REFUSED, Family
from .families.base import FIXED, HARMLESS, NUMBER, Field, is_positive
from .safe_file import unique_keys

LARGEST_SIZE = 2**24  # no size of a real model comes near


def read_json(path: Path) -> dict:
    """A JSON object from a file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it does not hold a JSON object.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path.name} in {path.parent}")
    try:
        content = json.loads(path.read_bytes(), object_pairs_hook=unique_keys)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not usable JSON: {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} should hold a JSON object, found {type(content).__name__}")
    return content


def read_config(folder: Path, ignore: set[str]) -> tuple[Family, dict]:
    """The family that config.json names, and its used fields, all checked."""
    path = folder / "config.json"
    return check_config(path, read_json(path), ignore)


def check_config(path: Path, config: dict, ignore: set[str]) -> tuple[Family, dict]:
    """`read_config` for a config already read.

    Raises:
        ValueError: it is not supported; one error names everything that is wrong with it.
    """
    family = family_of(path, config.get("model_type"))
    fixed, harmless = FIXED | family.fixed, HARMLESS | family.harmless | ignore
    given, unknown, problems = {}, {}, []
    for written, value in config.items():
        name = family.aliases.get(written, written)
        if name in family.used:
            problems += check_field(written, family.used[name], value)
            if given.setdefault(name, value) != value:
                problems.append(f"{written}={value!r} contradicts {name}={given[name]!r}")
        elif name in fixed and value != fixed[name]:
            problems.append(f"{shown(name, value)} is not supported, {fixed[name]!r} is")
        elif name not in fixed and name not in harmless:
            unknown[name] = value
    fields = {name: field.default for name, field in family.used.items()} | given
    if not problems:
        try:
            family.settings(fields)
        except ValueError as error:
            problems.append(str(error))
    if unknown:
        problems.append(how_to_ignore(unknown))
    if problems:
        raise ValueError(f"{path}: " + "; ".join(problems))
    return family, fields


def family_of(path: Path, kind: object) -> Family:
    """The family of a `model_type`.

    Raises:
        ValueError: it is not supported.
    """
    if isinstance(kind, str) and kind in FAMILIES:
        return FAMILIES[kind]
    reason = REFUSED.get(kind) if isinstance(kind, str) else None
    known = f" ({reason})" if reason else ""
    raise ValueError(
        f"{path}: model_type={kind!r} is not supported{known}; supported are {', '.join(FAMILIES)}"
    )


def how_to_ignore(unknown: dict) -> str:
    """What to do about fields that this package does not know."""
    several = len(unknown) > 1
    names = ", ".join(f'"{name}"' for name in unknown)
    return (
        f"{' and '.join(shown(name, value) for name, value in unknown.items())} "
        f"{'are' if several else 'is'} unknown here and might change the result; if you know that "
        f"{'they do' if several else 'it does'} not, call load_pretrained(..., ignore=[{names}])"
    )


def shown(name: str, value: object) -> str:
    """A field and its value, which may be long."""
    text = repr(value)
    return f"{name}={text if len(text) <= 60 else text[:57] + '...'}"


def check_field(name: str, field: Field, value: object) -> list[str]:
    """What is wrong with a value: its type, or a size or number that no model has."""
    if type(value) not in field.types:
        allowed = " or ".join(t.__name__.replace("NoneType", "null") for t in field.types)
        return [f"{name} must be {allowed}, got {value!r}"]
    if field.types == NUMBER and not is_positive(value):
        return [f"{name} must be a positive number, got {value!r}"]
    if field.ours and type(value) is int and not 1 <= value <= LARGEST_SIZE:
        return [f"{name} must be from 1 to {LARGEST_SIZE:,}, got {value}"]
    return []


def model_config(path: Path, family: Family, fields: dict) -> ModelConfig:
    """Our config for a checkpoint; `path` is named in errors.

    Raises:
        ValueError: the fields do not fit together.
    """
    ours = {field.ours: fields[name] for name, field in family.used.items() if field.ours}
    try:
        return ModelConfig(**ours | family.settings(fields))
    except (TypeError, ValueError) as error:
        used = [(name, field.ours) for name, field in family.used.items() if field.ours]
        names = [f"{ours} is {name}" for name, ours in used if ours in str(error)]
        hint = f" ({', '.join(names)} there)" if names else ""
        raise ValueError(f"{path}: {error}{hint}") from None


def read_eos(folder: Path, fields: dict) -> int | list[int] | None:
    """The id or ids that end a text: those of generation_config.json if it has any.

    Raises:
        ValueError: they are not ids.
    """
    eos_id, path = fields["eos_token_id"], folder / "generation_config.json"
    if path.is_file():
        eos_id = read_json(path).get("eos_token_id", eos_id)
    ids = eos_id if isinstance(eos_id, list) else [] if eos_id is None else [eos_id]
    if not all(type(token_id) is int and token_id >= 0 for token_id in ids):
        raise ValueError(f"{folder}: eos_token_id must be an id, several or null, got {eos_id!r}")
    return ids[0] if len(ids) == 1 else ids or None
