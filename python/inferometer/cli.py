"""The command ``inferometer``: a table of commands, each a module that is imported when it is run.

Such a module has ``add_arguments(parser)`` and ``run(arguments) -> int``.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inferometer.command_error import CommandError
from inferometer.console import finish, make_readable

_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        words: How it is called, ``("rules", "check")``.
        module: Where it is.
        summary: For the list of commands.
    """

    words: tuple[str, ...]
    module: str
    summary: str


COMMANDS = (
    Command(("serve",), "inferometer.serve.command", "serve a model repository over HTTP"),
    Command(
        ("monitoring", "init"),
        "inferometer.monitoring.init_command",
        "write configuration for Prometheus, Alertmanager and Grafana",
    ),
    Command(
        ("rules", "check"),
        "inferometer.monitoring.rules_command",
        "check alert rules and dashboards against the metric catalogue",
    ),
    Command(
        ("drill",),
        "inferometer.monitoring.drill_command",
        "make an alert fire on purpose, and see it arrive and resolve",
    ),
)
_GROUPS = {
    "monitoring": "dashboards, rules and configuration",
    "rules": "alert rules",
}


class _LazyParser(argparse.ArgumentParser):
    """Imports its command's module when its arguments are asked for."""

    command: Command | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self.command is not None:
            module = importlib.import_module(self.command.module)
            self.command = None
            module.add_arguments(self)
            self.set_defaults(run=module.run)
        return super().parse_known_args(args, namespace)


class _VersionAction(argparse.Action):
    """Prints the version, which the native module knows."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from inferometer import __version__

        print(f"inferometer {__version__}")
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        argv: Its arguments; None: those of the process.

    Returns:
        The exit status: 0; 1, it ran and failed; 2, it was asked for something wrong; 130, Ctrl-C.
    """
    make_readable()
    status = 0
    error: Exception | None = None
    try:
        arguments = _parser().parse_args(argv)
        status = int(arguments.run(arguments))
    except SystemExit as exit_:  # argparse has said what is wrong
        status = exit_.code if isinstance(exit_.code, int) else 0
    except KeyboardInterrupt:
        status = _INTERRUPTED
    except Exception as raised:
        if isinstance(raised.__cause__, KeyboardInterrupt):  # as a native module was being loaded
            return finish("inferometer", _INTERRUPTED)
        known, error = _status_of(raised), raised
        if known is None:
            raise
        status = known
    return finish("inferometer", status, error)


def _status_of(error: Exception) -> int | None:
    """The exit status of an error that is the user's affair; None for a defect of ours."""
    if isinstance(error, CommandError):
        return error.status
    core = sys.modules.get("inferometer._core")  # a command that never needed it
    if core is not None and isinstance(error, core.Error):
        return 2 if isinstance(error, core.ConfigError) else 1
    return 1 if isinstance(error, OSError) else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="inferometer",
        description="Batched, measured model inference: the service, its monitoring, its drills.",
        epilog="inferometer COMMAND --help says more.",
    )
    parser.add_argument("--version", action=_VersionAction, nargs=0, help="print the version")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=_LazyParser
    )
    groups: dict[str, Any] = {}
    for command in filter(_is_there, COMMANDS):
        target = commands
        if len(command.words) == 2:
            group = command.words[0]
            if group not in groups:
                below = commands.add_parser(group, help=_GROUPS[group], description=_GROUPS[group])
                groups[group] = below.add_subparsers(
                    title="commands", metavar="COMMAND", required=True, parser_class=_LazyParser
                )
            target = groups[group]
        added = target.add_parser(
            command.words[-1], help=command.summary, description=command.summary
        )
        added.command = command
    return parser


def _is_there(command: Command) -> bool:
    try:
        return importlib.util.find_spec(command.module) is not None
    except ModuleNotFoundError:  # its package is not there
        return False


if __name__ == "__main__":
    sys.exit(main())
