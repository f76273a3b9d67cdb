"""What the source says beside a field: the comment above it, and the one behind it."""

import ast
import inspect
import io
import tokenize
from collections.abc import Mapping
from functools import cache
from pathlib import Path


def field_comments(kind: type) -> Mapping[str, str]:
    """Return the comment of each field or member that a class has in its source; "" where it has none."""
    tree, comments = _source(inspect.getsourcefile(kind) or "")
    body = next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == kind.__name__).body
    return {name: _beside(node, comments) for node in body if (name := _name(node))}


def _name(node: ast.stmt) -> str | None:
    match node:
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
        case _:
            return None


def _beside(node: ast.stmt, comments: Mapping[int, tuple[bool, str]]) -> str:
    above = []
    line = node.lineno - 1
    while line in comments and comments[line][0]:
        above.insert(0, comments[line][1])
        line -= 1
    behind = [comments[node.end_lineno][1]] if node.end_lineno in comments else []
    return " ".join([*above, *behind])


@cache
def _source(file: str) -> tuple[ast.Module, Mapping[int, tuple[bool, str]]]:
    """Return the syntax of a file, and its comments by line: whether one is alone there, and its words."""
    text = Path(file).read_text(encoding="utf-8")
    comments = {
        token.start[0]: (not token.line[: token.start[1]].strip(), token.string.lstrip("# ").rstrip())
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    }
    return ast.parse(text), comments
