"""Benchmarks: `python scripts/bench NAME [options]`. Run without a name for the list.

Machines are noisy: figures are medians and ratios, measured side by side in one run.
"""

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = sorted(p.stem for p in HERE.glob("*.py") if "def main" in p.read_text() and p.stem != "__main__")


def summary(name: str) -> str:
    """The first line of a benchmark's docstring."""
    return (HERE / f"{name}.py").read_text().split('"""')[1].strip().splitlines()[0]


def run() -> None:
    """Hand over to the benchmark that was named."""
    if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
        print(__doc__)
        for name in NAMES:
            print(f"  {name:12} {summary(name)}")
        sys.exit(2)
    sys.path.insert(0, str(HERE.parent.parent))
    name = sys.argv.pop(1)
    importlib.import_module(f"scripts.bench.{name}").main()


if __name__ == "__main__":
    run()
