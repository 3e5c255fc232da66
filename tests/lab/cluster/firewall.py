"""Find and remove the iptables chains that the lab's kube-proxy made."""

import shutil
from typing import Final

from lab.cluster.commands import run

_FAMILIES: Final = ("iptables", "ip6tables")
_PREFIX: Final = "KUBE-"


def has_chains() -> bool:
    """Say whether any Kubernetes has chains here, the lab's or another."""
    return any(_script(_saved(family)) for family in _FAMILIES)


def remove_chains() -> None:
    """Remove Kubernetes' chains and the rules that lead to them; leave all others alone."""
    for family in _FAMILIES:
        script = _script(_saved(family))
        if script:
            run(f"{family}-restore", "--noflush", "--wait", "5", stdin=script)


def _saved(family: str) -> str:
    # A bare machine has no iptables yet: it is installed only after the check.
    program = f"{family}-save"
    return run(program, check=False) if shutil.which(program) else ""


def _script(saved: str) -> str:
    """Turn a listing into the commands that take Kubernetes' part out of it."""
    lines: list[str] = []
    for table in saved.split("\n*")[1:] if not saved.startswith("*") else saved[1:].split("\n*"):
        commands = _removals(table.splitlines())
        if commands:
            lines += [f"*{table.splitlines()[0]}", *commands, "COMMIT"]
    return "\n".join([*lines, ""]) if lines else ""


def _removals(table: list[str]) -> list[str]:
    chains = [line[1:].split()[0] for line in table if line.startswith(f":{_PREFIX}")]
    leading_there = [
        f"-D{line[2:]}"
        for line in table
        if line.startswith("-A ") and f" -j {_PREFIX}" in line and not _in_own_chain(line)
    ]
    flushed = [f"-F {chain}" for chain in chains]
    # Only an empty chain that no rule names can be deleted, hence three passes.
    return [*leading_there, *flushed, *(f"-X {chain}" for chain in chains)]


def _in_own_chain(rule: str) -> bool:
    return rule.startswith(f"-A {_PREFIX}")
