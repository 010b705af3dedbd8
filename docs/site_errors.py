"""The list of error messages, written from the code: every text that the package gives an error."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import NamedTuple

from gmd_vae.midi.refusals import ACTIONS

PACKAGE = Path(__file__).resolve().parent.parent / "pipeline" / "gmd_vae"
GAP = "…"  # what is filled in when the message is printed
# errors of these reach only programmers
INTERNAL = (
    "evaluation/latent",
    "evaluation/metrics",
    "magenta",
    "models/accelerated",
    "models/forward",
    "models/inference",
)
EXCLUDED = {"MidiError"}  # its messages are made from ``ACTIONS``


class Message(NamedTuple):
    """An error message of the code.

    Attributes:
        problem: Problem and reason; ``GAP`` stands for names and numbers.
        action: The user's next action; empty where it depends on the case.
    """

    problem: str
    action: str


class _Module(NamedTuple):
    room: str
    path: str
    calls: list[ast.Call]
    functions: list[ast.FunctionDef]
    texts: dict[str, str]
    advice: dict[str, str]


def messages() -> dict[str, list[Message]]:
    """Returns the messages by room: all calls that make an error with a text."""
    modules = _modules()
    errors = _subclasses("GmdVaeError") | {"UsageError"}
    shared = {name: text for module in modules for name, text in module.texts.items() if text.endswith(".")}
    found: dict[str, set[Message]] = {}
    for module in modules:
        texts = {**shared, **module.texts}
        for call in module.calls:
            if _name(call) in errors - EXCLUDED:
                message = _message(call, texts, {**texts, **module.advice})
            elif _name(call) == "fail" and len(call.args) == 3:  # click's, of the types of options
                message = _divided(f"Invalid value for '{GAP}': {_text(call.args[0], texts)}")
            elif _name(call) == "_fail":
                message = _divided(_text(call.args[0], texts))
            else:
                continue
            if _has_words(message.problem):
                found.setdefault(module.room, set()).add(message)
    found["midi"] |= {Message(f"'{GAP}' cannot be read as MIDI: {reason}", ACTIONS[reason]) for reason in ACTIONS}
    return {room: sorted(each) for room, each in found.items()}


def reasons() -> dict[str, list[str]]:
    """Returns the texts that messages fill in, by room.

    They are the texts of exceptions that a message quotes, and those that are given to functions that make an error.
    """
    modules = _modules()
    quoted = _subclasses("Exception") - _subclasses("GmdVaeError") | {"RecordError", "ValueError", "ReadError"}
    found: dict[str, set[str]] = {}
    for module in modules:
        makers = {function.name for function in module.functions if "Error" in ast.unparse(function.returns or _NONE)}
        for call in module.calls:
            if call.args and _name(call) in quoted | makers and not module.path.startswith(INTERNAL):
                given = call.args[:1] if _name(call) in quoted else call.args
                texts = [_text(argument, module.texts) for argument in given]
                found.setdefault(module.room, set()).update(text for text in texts if _is_reason(text))
    return {room: sorted(each) for room, each in found.items() if each}


_NONE = ast.Constant(None)


def _is_reason(text: str) -> bool:
    return _has_words(text) and " " in text and not text.endswith(".")  # a sentence is an action


@functools.cache
def _nodes() -> dict[Path, list[ast.AST]]:
    return {
        path.relative_to(PACKAGE): list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


@functools.cache
def _modules() -> list[_Module]:
    found = []
    for name, nodes in _nodes().items():
        room = "the command line" if len(name.parts) == 1 or name.parts[0] == "commands" else name.parts[0]
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
        found.append(_Module(room, name.as_posix(), calls, functions, _constants(nodes), _advice(nodes)))
    return found


def _subclasses(name: str) -> set[str]:
    """Returns the names of a class and of all classes of the package that are made from it."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for nodes in _nodes().values()
        for node in nodes
        if isinstance(node, ast.ClassDef)
    }
    names, size = {name}, 0
    while len(names) > size:
        size = len(names)
        names |= {each for each, its in bases.items() if its & names}
    return names


def _constants(nodes: list[ast.AST]) -> dict[str, str]:
    """Returns the texts that a module gives names to, such as ``NEXT_ACTION``."""
    return {
        target.id: _text(node.value, {})
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.value, (ast.Constant, ast.JoinedStr))
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.isupper() and _has_words(_text(node.value, {}))
    }


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _advice(nodes: list[ast.AST]) -> dict[str, str]:
    """Returns the sentences of local variables, and of functions that return one; several are alternatives."""
    found: dict[str, dict[str, None]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, {})[_text(node.value, {})] = None
        elif isinstance(node, ast.FunctionDef):
            values = [each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value]
            found.setdefault(node.name, {}).update(dict.fromkeys(_text(value, {}) for value in values))
    sentences = {name: [text for text in texts if text.endswith((".", ".'"))] for name, texts in found.items()}
    return {name: " or: ".join(texts) for name, texts in sentences.items() if texts}


def _message(call: ast.Call, texts: dict[str, str], advice: dict[str, str]) -> Message:
    problem = _text(call.args[0], texts) if call.args else ""
    if len(call.args) == 1 or (_name(call) == "UsageError" and _text(call.args[1], advice) == GAP and "." in problem):
        return _divided(problem)  # click's has the context as its second argument
    action = _text(call.args[1], advice) if call.args else ""
    return Message(problem, action if _has_words(action) else "")


def _divided(text: str) -> Message:
    """Divides a text after its first sentence, or at a colon or semicolon before what to do."""
    found = re.fullmatch(r"(.+?)(?:(?<=[\w'])[.] (?=[A-Z…])|[:;] (?=add |leave |write |start |their |use ))(.+)", text)
    return Message(found[1], found[2][0].upper() + found[2][1:]) if found else Message(text, "")


def _has_words(text: str) -> bool:
    return len(re.sub(rf"[\s{GAP}']", "", text)) > 3


def _text(node: ast.expr, texts: dict[str, str]) -> str:
    """Returns a text as it stands in the code, with gaps for what is filled in."""
    if isinstance(node, ast.Constant):
        return " ".join(str(node.value).split())
    if isinstance(node, ast.JoinedStr):
        return re.sub(f"({GAP})+", GAP, "".join(_piece(part, texts) for part in node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left, texts) + _text(node.right, texts)
    if isinstance(node, ast.IfExp):
        both = [_text(node.body, texts), _text(node.orelse, texts)]
        return " or: ".join(both) if all(map(_has_words, both)) else GAP
    if isinstance(node, ast.Call):
        return texts.get(_name(node), GAP)
    return texts.get(getattr(node, "id", getattr(node, "attr", "")), GAP)


def _piece(part: ast.expr, texts: dict[str, str]) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else _text(getattr(part, "value", part), texts)


def tables() -> str:
    """Returns a table of messages for each room of the package, and the reasons that its messages fill in."""
    lines = []
    filled = reasons()
    for room, found in messages().items():
        heading = room if room.startswith("the") else f"`{room}`"
        lines += [f"### Messages of {heading}", "", "| message | what to do |", "| --- | --- |"]
        lines += [f"| {escaped(each.problem)} | {escaped(each.action or 'the message says it')} |" for each in found]
        lines += [""]
        if room in filled:
            points = [f"- {escaped(each)}" for each in filled[room]]
            lines += [f"In the place of a {GAP} there may stand:", "", *points, ""]
    return "\n".join(lines)


def escaped(text: str) -> str:
    """Returns a text for a cell of a table or a list, in which no character has a meaning for Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|$~^])", r"\\\1", text)
