"""`python -m model stories` tells what breaks without each part; `page` writes docs/protocol.md.

`python -m model walk` walks every state of the protocol as it is.
"""

import sys
import time
from argparse import ArgumentParser
from pathlib import Path

from model import page
from model.exploring import Explorer
from model.variants import HOLDING

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"


def walk() -> dict[str, tuple[int, int]]:
    """Walk the protocol as it is; return how many states and moves each variant has."""
    sizes = {}
    for name, protocol in HOLDING.items():
        began = time.monotonic()
        explored = Explorer(protocol).explore()
        sizes[name] = (len(explored.states), sum(explored.fired.values()))
        took = time.monotonic() - began
        print(f"{name}: {sizes[name][0]:,} states, {sizes[name][1]:,} moves, {took:.1f} s")
        if explored.broken:
            sys.exit("\n".join(page.told(explored.broken)))
    return sizes


def main() -> None:
    """Do what the command line says."""
    parser = ArgumentParser(prog="python -m model", description=__doc__)
    parser.add_argument("command", choices=("stories", "walk", "page"))
    command = parser.parse_args().command
    if command == "stories":
        print("\n".join(page.stories()))
    elif command == "walk":
        walk()
    else:
        PAGE.write_text(page.page(walk()))


if __name__ == "__main__":
    main()
