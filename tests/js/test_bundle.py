"""Modules put together into one script, and the constants that they share with Python."""

import re
from pathlib import Path

import pytest

import oneprompt
from oneprompt.explorers import shared
from oneprompt.js.bundle import bundle, function_body

PACKAGE = Path(oneprompt.__file__).parent
VIEWS = sorted(PACKAGE.glob("explorers/*/view.js"))


@pytest.fixture
def write(tmp_path):
    """Write modules, given as file name -> source; the path of the first one."""

    def write(**sources: str) -> Path:
        paths = [tmp_path / f"{name}.js" for name in sources]
        for path, source in zip(paths, sources.values(), strict=True):
            path.write_text(source, encoding="utf-8")
        return paths[0]

    return write


def test_what_a_module_imports_comes_before_it_and_once(write):
    path = write(
        view='import { twice } from "./double.js";\nimport { one } from "./one.js";\n'
        "export default twice(one);\n",
        double='import { one } from "./one.js";\nexport const twice = (x) => 2 * x * one;\n',
        one="export const one = 1;\n",
    )
    assert [line for line in bundle(path).splitlines() if line] == [
        "const one = 1;",
        "const twice = (x) => 2 * x * one;",
        "export default twice(one);",
    ]


@pytest.mark.parametrize(
    "definition",
    ["const same = 1;", "function same() {}", "async function same() {}", "class same {}",
     "let same;", "const [other, same] = [1, 2];", "const { same } = {};"],
)  # fmt: skip
def test_a_name_that_two_modules_define_is_refused(write, definition):
    path = write(
        view='import { a } from "./a.js";\nconst same = a;\nexport default same;\n',
        a=f"{definition}\nexport const a = 1;\n",
    )
    with pytest.raises(ValueError, match="two of its modules define same; rename one"):
        bundle(path)


@pytest.mark.parametrize(
    "line",
    ['import a from "./a.js";', 'import * as a from "./a.js";', 'import "./a.js";',
     'import { a as b } from "./a.js";', "export { a };", 'export * from "./a.js";'],
)  # fmt: skip
def test_an_import_or_export_of_another_form_is_refused(write, line):
    path = write(view=f"{line}\nexport default {{}};\n", a="export const a = 1;\n")
    with pytest.raises(ValueError, match="only `import"):
        bundle(path)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("const a = 1;", "exactly one `export default`"),
        ("export default {};\nexport default {};", "exactly one `export default`"),
        ("export default { a: '</SCRIPT>' };", "would end the script"),
        ("export default { a: '<!--' };", "would end the script"),
    ],
)
def test_a_module_that_could_not_run_as_a_classic_script_is_refused(module, message):
    with pytest.raises(ValueError, match=message):
        function_body(module)


@pytest.mark.parametrize("path", VIEWS, ids=lambda path: path.parent.name)
def test_every_explorer_runs_without_modules(path, node):
    body = function_body(bundle(path))
    parts = node.run("(body) => Object.keys(new Function(body)())", argument=body)
    takes_a_prompt = (path.parent / "state.js").exists()
    assert {"render", *["compute"] * takes_a_prompt} <= set(parts)


# Shared constants


def test_python_and_javascript_read_the_same_constants(node):
    names = dir(shared)
    found = node.run(
        f"({{ values: {{ {', '.join(names)} }}, count: arguments.length }})",
        "explorers/shared.js",
    )
    assert found == {
        "values": {name: getattr(shared, name) for name in names},
        "count": len(names),
    }


def test_every_shared_constant_is_used_in_both_languages():
    for suffix in ("py", "js"):
        sources = {path: path.read_text("utf-8") for path in PACKAGE.rglob(f"*.{suffix}")}
        used = {
            word
            for path, source in sources.items()
            if path.stem != "shared"
            for word in re.findall(r"\w+", source)
        }
        assert [name for name in dir(shared) if name not in used] == [], suffix


def test_a_missing_constant_is_an_error():
    with pytest.raises(AttributeError, match=r"shared\.js has no constant NONE"):
        _ = shared.NONE
