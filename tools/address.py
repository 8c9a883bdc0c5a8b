"""Give the book another address: rewrite every place that names its repository or its site.

    python tools/address.py https://github.com/you/your-book [https://your.site/]

_config.yml holds both addresses; the notebooks' first cells, README and other files repeat them,
because each of them is read alone. A site that is not named is GitHub Pages'. After that, `make
address` makes the assignments again, whose checksums cover the address.
"""

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
REPOSITORY = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?")
SITE = re.compile(r"https?://[^\s\"'<>?#]+")


def name_of(repository: str) -> str:
    """`owner/name` of an address on GitHub, which is the only host that Colab opens."""
    match = REPOSITORY.fullmatch(repository)
    if not match:
        raise SystemExit(
            f"{repository!r} is no repository's address: it reads https://github.com/owner/name"
        )
    return match[1]


def pages_of(name: str) -> str:
    """Where GitHub Pages shows `owner/name`; the repository `owner.github.io` is its own root."""
    owner, _, project = name.partition("/")
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if project.lower() == host else f"https://{host}/{project}/"


def replacements(root: Path, repository: str, site: str | None) -> list[tuple[str, str]]:
    """What is replaced by what, in the order in which it must happen."""
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    old, new = name_of(config["repository"]["url"]), name_of(repository)
    site = site or pages_of(new)
    if not SITE.fullmatch(site):
        raise SystemExit(f"{site!r} is no site's address: it reads https://your.site/book/")
    pairs = [(config["html"]["baseurl"].rstrip("/"), site.rstrip("/"))]
    # With its slash as it is, and as it stands within the address of another page.
    return pairs + [(old.replace("/", slash), new.replace("/", slash)) for slash in ("/", "%2F")]


def pattern(old: str) -> re.Pattern[bytes]:
    """Finds an address or a name, but not within a longer one, such as `owner/book-2`."""
    return re.compile(rb"(?:(?<![\w.-])|(?<=%2F))" + re.escape(old.encode()) + rb"(?![\w-])")


def rewrite(root: Path, pairs: list[tuple[str, str]]) -> list[Path]:
    """Rewrite the files of the repository, and return those that have changed."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)
    changed = []
    for path in (root / name for name in listed.stdout.decode().split("\0") if name):
        before = after = path.read_bytes() if path.is_file() else b""
        for old, new in pairs:
            after = pattern(old).sub(new.encode(), after)
        if after != before:
            path.write_bytes(after)
            changed.append(path)
    return changed


def main(arguments: list[str]) -> None:
    if not 1 <= len(arguments) <= 2:
        raise SystemExit("Say the address: make address URL=https://github.com/owner/name")
    changed = rewrite(ROOT, replacements(ROOT, *arguments, *[None] * (2 - len(arguments))))
    print(f"{len(changed)} files now name {arguments[0]}.")


if __name__ == "__main__":
    main(sys.argv[1:])
