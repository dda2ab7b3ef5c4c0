"""Build the man page and the completions of shells in share/ from the command line; desktop files are not built here.

Run by `make share`; a test compares what is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from ddncodec.cli.main import main

SHARE = Path(__file__).parents[1] / "share"
COMPLETIONS = {
    "bash": "bash-completion/completions/ddnc",
    "zsh": "zsh/site-functions/_ddnc",
    "fish": "fish/vendor_completions.d/ddnc.fish",
}


def files() -> dict[str, str]:
    """Paths below share/ and their content."""
    found = {"man/man1/ddnc.1": man_page()}
    for shell, path in COMPLETIONS.items():
        completion = get_completion_class(shell)
        assert completion is not None
        found[path] = completion(main, {}, "ddnc", "_DDNC_COMPLETE").source().rstrip() + "\n"
    return found


def man_page() -> str:
    """One page of all commands, in the language of man(7)."""
    context = click.Context(main, info_name="ddnc", **main.context_settings)
    lines = ['.TH DDNC 1 "" ddncodec "User commands"', ".SH NAME", f"ddnc \\- {_text(main.help or '').rstrip('.')}"]
    lines += [".SH SYNOPSIS", r".B ddnc", r"\fICOMMAND\fR [\fIOPTIONS\fR] ..."]
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        lines += _section(command, click.Context(command, info_name=name, parent=context))
    lines += [".SH NOTES", *_paragraphs(main.epilog or "")]
    return "\n".join(lines) + "\n"


def _section(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    yield from (f'.SH "DDNC {str(command.name).upper()}"', f".B ddnc {command.name}", _text(usage), ".PP")
    yield from _paragraphs(command.help or "")
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1]:
            yield from (".TP", f".B {_text(record[0])}", _text(record[1]))
    yield from _paragraphs(command.epilog or "")


def _paragraphs(text: str) -> Iterator[str]:
    """Paragraphs, those after a `\\b` of click with their own line ends."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        yield ".PP"
        if paragraph.startswith("\b"):
            yield from (".nf", *(_text(line, strip=False) for line in paragraph.splitlines()[1:]), ".fi")
        else:
            yield _text(paragraph)


def _text(text: str, *, strip: bool = True) -> str:
    """A text as one line that no character of which commands anything."""
    text = " ".join(text.split()) if strip else text
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("`", r"\(ga")
    return rf"\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    for path, content in files().items():
        (SHARE / path).parent.mkdir(parents=True, exist_ok=True)
        (SHARE / path).write_text(content, encoding="utf-8")
