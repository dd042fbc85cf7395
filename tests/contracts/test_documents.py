"""What the documents say is true: examples run, command lines and links lead somewhere.

Documents are README.md, CONTRIBUTING.md, CHANGELOG.md and everything in docs/ and benchmarks/. The blocks of
one document share their names, as a reader who types them in would have them. A block marked
``python no-run`` is not run.
"""

import ast
import doctest
import importlib
import re
import shlex
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest
import torch
import typer
from typer.main import get_command

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
DOCUMENTS = [
    *(path for name in ("README", "CONTRIBUTING", "CHANGELOG") if (path := ROOT / f"{name}.md").is_file()),
    *sorted(path for name in ("docs", "benchmarks") for path in (ROOT / name).rglob("*.md")),
]
PYTHON = {"python", "pycon"}
SHELL = {"console", "sh", "bash", "shell"}
PROMPT = "$ "
FENCE = r"\s*(?:[-*+] +|\d+\. +)?(`{3,}|~{3,})"  # also as the first thing of a list's item


class Block(NamedTuple):
    """A fenced block: the words after its fence, the line of its first row, its text."""

    info: list[str]
    line: int
    text: str


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a document; one that is not closed is refused."""
    fence, info, start, body = "", "", 0, list[str]()
    for number, row in enumerate(text.splitlines(), 1):
        mark = re.match(FENCE + r"(.*)", row)
        if not fence and mark:
            fence, info, start, body = mark[1], mark[2], number + 1, []
        elif mark and mark[1].startswith(fence) and not mark[2].strip():
            yield Block(info.split(), start, textwrap.dedent("\n".join(body)))
            fence = ""
        elif fence:
            body.append(row)
    assert not fence, f"the block of line {start - 1} is not closed"


def outside_blocks(text: str) -> str:
    """Return the document without what stands in fences or in backquotes."""
    return re.sub(r"`[^`\n]*`", "", re.sub(rf"(?ms)^{FENCE}.*?^\s*\1", "", text))


def docstrings(text: str) -> Iterator[tuple[str, int, str]]:
    """Yield (name, line, text) of every docstring that holds an example, whatever it belongs to."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring and ">>>" in docstring:
                yield getattr(node, "name", "module"), node.body[0].lineno, docstring


def run_examples(text: str, name: str, path: Path, line: int, names: dict[str, Any]) -> list[str]:
    """Run the ``>>>`` examples of ``text`` and return the report of those that fail."""
    examples = doctest.DocTestParser().get_doctest(text, {}, name, str(path), line - 1)
    examples.globs = names
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(examples, out=report.append, clear_globs=False)
    return report


def run_blocks(path: Path) -> list[str]:
    """Run the Python blocks of a document one after the other and return the reports of failed examples."""
    report: list[str] = []
    names: dict[str, Any] = {"__name__": path.stem}
    for block in blocks(path.read_text(encoding="utf-8")):
        if not PYTHON & set(block.info[:1]) or "no-run" in block.info:
            continue
        if block.text.lstrip().startswith(">>>"):
            report += run_examples(block.text, path.name, path, block.line, names)
        else:
            exec(compile("\n" * (block.line - 1) + block.text, path, "exec"), names)
    return report


def command_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, words) of the commands that a document's console blocks give.

    Where a block shows prompts, the other rows are output. What is set before a command, and what it is
    piped into, is left out.
    """
    for block in blocks(text):
        if not SHELL & set(block.info[:1]):
            continue
        rows = joined(block)
        if any(row.startswith(PROMPT) for _, row in rows):
            rows = [(line, row.removeprefix(PROMPT)) for line, row in rows if row.startswith(PROMPT)]
        for line, row in rows:
            for words in commands(row):
                yield line, words


def joined(block: Block) -> list[tuple[int, str]]:
    """Return the rows of a block with their lines, continued rows made one."""
    rows: list[tuple[int, str]] = []
    continued = False
    for line, row in enumerate(block.text.splitlines(), block.line):
        if continued:
            first, before = rows[-1]
            rows[-1] = first, before.removesuffix("\\") + row.strip()
        else:
            rows.append((line, row.strip()))
        continued = row.endswith("\\")
    return rows


def commands(row: str) -> Iterator[list[str]]:
    """Split a row of shell into its commands, each without the variables set before it."""
    lexer = shlex.shlex(row, posix=True, punctuation_chars=True)
    lexer.commenters = "#"
    lexer.wordchars += ","
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("();<>|&"):
            while words and re.match(r"[A-Z_]+=", words[0]):
                words = words[1:]
            if words:
                yield words
            words = []
        else:
            words.append(word)


def wrong_commands(text: str, program: Any, targets: set[str]) -> Iterator[str]:
    """Yield what the command lines of a document ask of gatelab or make that is not there."""
    for line, (name, *words) in command_lines(text):
        found: Iterable[str] = ()
        if name.rpartition("/")[2] == "gatelab":
            found = wrong_words(program, "gatelab", words)
        elif name == "make":
            found = wrong_targets(program, targets, words)
        yield from (f"line {line}: {sentence}" for sentence in found)


def wrong_targets(program: Any, targets: set[str], words: list[str]) -> Iterator[str]:
    asked = [word for word in words if not word.startswith("-") and "=" not in word]
    yield from (f"make has no target {word}" for word in asked if word not in targets)
    for word in words:
        if word.startswith("ARGS=") and "compare" in asked:
            yield from wrong_words(program, "gatelab", ["compare", *shlex.split(word.removeprefix("ARGS="))])


def wrong_words(command: Any, name: str, words: list[str]) -> Iterator[str]:
    """Yield the sub-commands and options among ``words`` that a command of typer does not have."""
    options = {word: p for p in command.params for word in (*p.opts, *p.secondary_opts)}
    rest = iter(words)
    for word in rest:
        option, given, _ = word.partition("=")
        if word == "--":
            return
        if re.match(r"--?[A-Za-z]", word):
            if option in options:
                flag = options[option].is_flag or options[option].count
                for _ in range(0 if flag or given else options[option].nargs):
                    next(rest, None)
            elif option != "--help":
                yield f"{name} has no option {option}"
        elif hasattr(command, "commands"):
            if word in command.commands:
                yield from wrong_words(command.commands[word], f"{name} {word}", list(rest))
            else:
                yield f"{name} has no command {word}"
            return


def make_targets(makefile: str) -> set[str]:
    return set(re.findall(r"(?m)^([a-z][a-z-]*):(?!=)", makefile))


def broken_links(path: Path) -> Iterator[str]:
    """Yield the links of a document to files that are not there."""
    text = outside_blocks(path.read_text(encoding="utf-8"))
    links = re.findall(r"\]\(\s*<?([^)\s>]+)", text)
    links += re.findall(r"(?m)^\s*\[[^\]]+\]:\s*<?([^\s>]+)", text)
    links += re.findall(r"""(?:src|href)=["']([^"']+)""", text)
    for link in links:
        target = unquote(link.partition("#")[0])
        if target and not re.match(r"[a-z][a-z0-9+.-]*:", target) and not (path.parent / target).exists():
            yield f"{path.name}: {link} leads nowhere"


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.fixture(autouse=True)
def _clean_slate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let what runs write where it likes, and take back what it sets in torch."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATELAB_RUNS", raising=False)
    dtype, state = torch.get_default_dtype(), torch.random.get_rng_state()
    yield
    torch.set_default_dtype(dtype)
    torch.random.set_rng_state(state)


WITH_EXAMPLES = [
    path for path in sorted(SOURCE.rglob("*.py")) if any(docstrings(path.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=module_name)
def test_docstring_examples(path: Path) -> None:
    module = importlib.import_module(module_name(path))
    report: list[str] = []
    for name, line, text in docstrings(path.read_text(encoding="utf-8")):
        report += run_examples(text, name, path, line, dict(vars(module)))
    assert not report, "\n" + "".join(report)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
class TestDocument:
    def test_python_blocks_run(self, path: Path) -> None:
        report = run_blocks(path)
        assert not report, "\n" + "".join(report)

    def test_commands_exist(self, path: Path) -> None:
        from gatelab.cli.main import app

        targets = make_targets((ROOT / "Makefile").read_text(encoding="utf-8"))
        found = list(wrong_commands(path.read_text(encoding="utf-8"), get_command(app), targets))
        assert not found, "\n" + "\n".join(found)

    def test_links_lead_somewhere(self, path: Path) -> None:
        assert list(broken_links(path)) == []


def test_documents_are_found() -> None:
    assert {"README.md", "CONTRIBUTING.md"} <= {path.name for path in DOCUMENTS}
    assert WITH_EXAMPLES


def test_map_shows_every_room() -> None:
    map_ = next(blocks((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))).text
    rooms = {path.parent.name for path in (SOURCE / "gatelab").glob("*/__init__.py")}
    assert set(re.findall(r"(?m)^  (\w+)/", map_)) == rooms


class TestTheseTests:
    """A false document is found out."""

    @staticmethod
    def document(folder: Path, *rows: str) -> Path:
        path = folder / "page.md"
        path.write_text("\n".join(rows), encoding="utf-8")
        return path

    def test_blocks_share_names_and_keep_lines(self, tmp_path: Path) -> None:
        page = self.document(tmp_path, "```python", "a = 1", "```", "```python", ">>> a + 1", "2", "```")
        assert run_blocks(page) == []
        page = self.document(tmp_path, "", "```python", "a = 1", "a.b", "```")
        with pytest.raises(AttributeError) as caught:
            run_blocks(page)
        assert caught.traceback[-1].lineno == 3

    def test_false_example(self, tmp_path: Path) -> None:
        page = self.document(tmp_path, "```pycon", ">>> 1 + 1", "3", "```")
        assert "line 2" in run_blocks(page)[0]

    def test_no_run_and_other_languages(self, tmp_path: Path) -> None:
        page = self.document(tmp_path, "```python no-run", "1 / 0", "```", "- ```json", "  {}", "  ```")
        assert run_blocks(page) == []

    def test_examples_of_what_a_decorator_replaced(self) -> None:
        text = 'class A:\n    @swallow\n    def f(self):\n        """Say.\n\n        >>> 1\n        """'
        assert [(name, line) for name, line, _ in docstrings(text)] == [("f", 4)]

    def test_open_block(self) -> None:
        with pytest.raises(AssertionError, match="line 1 is not closed"):
            list(blocks("```python\na = 1"))

    @pytest.mark.parametrize(
        ("rows", "finding"),
        [
            ("gatelab paint x.json --size 3 -f", None),
            ("gatelab --loud paint --size=3 \\\n  a --no-frame", None),
            ("$ gatelab room list  # all\ngatelab 0.1.0", None),
            ("A=1 make test && cat x | gatelab paint -", None),
            ("gatelab room --walls red,blue list", None),
            ('make compare ARGS="--seeds 3 lstm"', None),
            ("gatelab print", "line 2: gatelab has no command print"),
            ("\ngatelab paint --sise 3", "line 3: gatelab paint has no option --sise"),
            ("gatelab paint \\\n --sise=3", "line 2: gatelab paint has no option --sise"),
            (".venv/bin/gatelab room burn", "gatelab room has no command burn"),
            ("make clean tset", "make has no target tset"),
            ('make compare ARGS="--seed 3"', "gatelab compare has no option --seed"),
        ],
    )
    def test_commands(self, rows: str, finding: str | None) -> None:
        app, room = typer.Typer(), typer.Typer()
        app.add_typer(room, name="room")

        @room.callback()
        def rooms(walls: str = "") -> None: ...

        @app.callback()
        def main(loud: bool = False) -> None: ...

        @app.command()
        def paint(
            path: str, size: int = 1, frame: bool = typer.Option(True, "--frame/--no-frame", "-f")
        ) -> None: ...

        @app.command()
        def compare(cells: list[str], seeds: int = 1) -> None: ...

        @room.command(name="list")
        def all_rooms() -> None: ...

        @room.command()
        def build() -> None: ...

        targets = make_targets(".PHONY: a\nX := 1\ntest: lint\nclean:\n\trm\ncompare:\n")
        found = list(wrong_commands(f"```console\n{rows}\n```", get_command(app), targets))
        assert [finding in f for f in found if finding] == ([True] if finding else []), found
        assert len(found) == (finding is not None)

    def test_links(self, tmp_path: Path) -> None:
        page = self.document(
            tmp_path,
            "[a](page.md#there) [b](https://example.org) [c](#here) `[d](code)` ![e](lost.svg)",
            "[f]: gone.md",
        )
        assert list(broken_links(page)) == [
            "page.md: lost.svg leads nowhere",
            "page.md: gone.md leads nowhere",
        ]
