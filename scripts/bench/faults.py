"""Breaks things under a running daemon and counts what was lost: the table of docs/reliability.md.

`python scripts/bench faults` runs everything in full (about an hour), `--short` what CI runs, `--only NAME`
some of it.
"""

import argparse

from testkit.faults.table import FAULTS, keep, run


def main() -> None:
    """Run what was asked for, write the figures and the page, and fail when something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="the sizes of CI; the page is not written")
    parser.add_argument("--only", nargs="+", choices=sorted(FAULTS), default=list(FAULTS))
    chosen = parser.parse_args()
    held = True
    for name in chosen.only:
        row = run(name, short=chosen.short)
        print(f"{'held  ' if row['held'] else 'BROKEN'} {row['fault']}: {row['figures']}", flush=True)
        held &= row["held"]
        if not chosen.short:
            keep(name, row)
    raise SystemExit(0 if held else 1)
