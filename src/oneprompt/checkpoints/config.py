"""The config.json of a public checkpoint: its fields, checked, and our config of it."""

import json
from pathlib import Path

from ..model import ModelConfig
from .families import FAMILIES, Family
from .families.base import FIXED, HARMLESS, NUMBER, Field, check_number
from .safe_file import unique_keys

LARGEST_SIZE = 2**24  # no size of a real model comes near


def read_json(path: Path) -> dict:
    """A JSON object from a file."""
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
    config = read_json(path)
    kind = config.get("model_type")
    if not isinstance(kind, str) or kind not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise ValueError(f"{path}: model_type={kind!r} is not supported; supported are {known}")
    family = FAMILIES[kind]
    fields = {name: field.default for name, field in family.used.items()}
    given = {}
    for written, value in config.items():
        name = family.aliases.get(written, written)
        if name in family.used:
            check_field(path, written, family.used[name], value)
            if given.setdefault(name, value) != value:
                raise ValueError(f"{path}: {written}={value!r} contradicts {name}={given[name]!r}")
        elif name in FIXED | family.fixed:
            only = (FIXED | family.fixed)[name]
            if value != only:
                raise ValueError(f"{path}: {name}={value!r} is not supported; {only!r} is")
        elif name not in HARMLESS | family.harmless and name not in ignore:
            raise ValueError(
                f"{path}: {name}={value!r} is unknown here and might change the result; if you "
                f'know that it does not, call load_pretrained(..., ignore=["{name}"])'
            )
    return family, fields | given


def check_field(path: Path, name: str, field: Field, value: object) -> None:
    """Refuse a value of another type, and a size or number that no model has."""
    if type(value) not in field.types:
        allowed = " or ".join(t.__name__.replace("NoneType", "null") for t in field.types)
        raise ValueError(f"{path}: {name} must be {allowed}, got {value!r}")
    if field.types == NUMBER:
        check_number(f"{path}: {name}", value)
    if field.ours and type(value) is int and not 1 <= value <= LARGEST_SIZE:
        raise ValueError(f"{path}: {name} must be from 1 to {LARGEST_SIZE:,}, got {value}")


def model_config(folder: Path, family: Family, fields: dict) -> ModelConfig:
    """Our config of a checkpoint."""
    ours = {field.ours: fields[name] for name, field in family.used.items() if field.ours}
    try:
        return ModelConfig(**ours | family.settings(fields))
    except (TypeError, ValueError) as error:
        used = [(name, field.ours) for name, field in family.used.items() if field.ours]
        names = [f"{ours} is {name}" for name, ours in used if ours in str(error)]
        hint = f" ({', '.join(names)} there)" if names else ""
        raise ValueError(f"{folder / 'config.json'}: {error}{hint}") from None


def read_eos(folder: Path, fields: dict) -> int | list[int] | None:
    """The id or ids that end a text: those of generation_config.json where it has any."""
    eos_id, path = fields["eos_token_id"], folder / "generation_config.json"
    if path.is_file():
        eos_id = read_json(path).get("eos_token_id", eos_id)
    ids = eos_id if isinstance(eos_id, list) else [] if eos_id is None else [eos_id]
    if not all(type(token_id) is int and token_id >= 0 for token_id in ids):
        raise ValueError(f"{folder}: eos_token_id must be an id, several or null, got {eos_id!r}")
    return ids[0] if len(ids) == 1 else ids or None
