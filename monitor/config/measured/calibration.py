"""What 0 dBFS of a source is in its room, found by `earwitness calibrate` instead of written."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.config.model import Config
from monitor.labels import did_you_mean

LOWEST_DB, HIGHEST_DB = 0.0, 200.0
"""As `calibration_db` of a source allows."""
_PLACE = re.compile(r"sources\.(.+)\.calibration_db")


def place_of(source: str) -> str:
    """Where a source's calibration lies among the changes."""
    return f"sources.{source}.calibration_db"


def source_in(place: str) -> str | None:
    """The source whose calibration a place is; None: it is about something else."""
    found = _PLACE.fullmatch(place)
    return found[1] if found else None


def problems(config: Config, place: str, value: Any) -> Iterator[str]:
    """What is wrong with this value there; None is as the file has it."""
    sources = {one.name: one for one in config.sources}
    name = source_in(place) or ""
    if name not in sources:
        yield f"{place}: there is no source {name!r}{did_you_mean(name, sources)}"
    elif sources[name].is_external:
        yield f"{place}: another device listens there; its loudness is not known"
    elif value is not None and not (isinstance(value, int | float) and LOWEST_DB <= value <= HIGHEST_DB):
        yield f"{place}: {value!r} is no calibration; it is a number from {LOWEST_DB:g} to {HIGHEST_DB:g}"


def as_configured(config: Config, place: str) -> float | None:
    """What the configuration has there."""
    return next((one.calibration_db for one in config.sources if one.name == source_in(place)), None)


def laid_over(config: Config, values: Mapping[str, Any]) -> Config:
    """The configuration with these calibrations."""
    if not values:
        return config
    wanted = {source_in(place): value for place, value in values.items()}
    return config.model_copy(
        update={
            "sources": [
                one.model_copy(update={"calibration_db": wanted[one.name]}) if one.name in wanted else one
                for one in config.sources
            ]
        }
    )
