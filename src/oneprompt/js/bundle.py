"""Put an ES module and everything that it imports into one script without imports.

A page that was opened from a folder cannot import modules, and a notebook gives a widget one file.
"""

import re
from pathlib import Path

IMPORT = re.compile(r'^import \{\s*\w+(?:,\s*\w+)*,?\s*\} from "([^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async|const|let|function|class)\b)", re.MULTILINE)
DEFINED = re.compile(
    r"^(?:async )?(?:const|let|function\*?|class) (?:(\w+)|[\[{]([^\]}]*)[\]}] =)", re.MULTILINE
)


def modules_in_order(path: Path, seen: dict[Path, str]) -> None:
    """Add the modules that a module needs, then the module itself, without imports and exports."""
    source = path.read_text("utf-8")
    for needed in IMPORT.findall(source):
        if (other := (path.parent / needed).resolve()) not in seen:
            modules_in_order(other, seen)
    seen[path.resolve()] = EXPORT.sub("", IMPORT.sub("", source))


def bundle(path: Path) -> str:
    """A module and all that it imports in one scope; only the default export of `path` is left.

    Raises:
        ValueError: two modules define the same name, or an import or export has another form.
    """
    modules: dict[Path, str] = {}
    modules_in_order(path, modules)
    body = "\n".join(modules.values())
    names = re.findall(r"\w+", " ".join(f"{one} {more}" for one, more in DEFINED.findall(body)))
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{path}: two of its modules define {', '.join(twice)}; rename one")
    if strange := re.search(r"^\s*(import\b|export (?!default )).*", body, re.MULTILINE):
        raise ValueError(f"{path}: only `import {{ a }} from` and `export` work: {strange[0]!r}")
    return body


def function_body(module: str) -> str:
    """A bundle as the body of a function that returns its default export.

    Raises:
        ValueError: it has no default export or several, or would end the script element around it.
    """
    body, exports = re.subn(r"^export default ", "return ", module, flags=re.MULTILINE)
    if exports != 1:
        raise ValueError("a module needs exactly one `export default` at the start of a line")
    if re.search(r"</script|<!--", body, flags=re.IGNORECASE):
        raise ValueError(
            "a module contains `</script` or `<!--`, which would end the script element around "
            "it: write it as two joined strings"
        )
    return body
