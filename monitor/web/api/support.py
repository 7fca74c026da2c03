"""The support bundle: first to be read, then to be given away."""

from starlette.responses import Response

from monitor.logs import recent_lines
from monitor.support.bundle import bundle_files, zipped
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model


class SupportFile(Model):
    """One file of the bundle, whole."""

    name: str
    text: str


class SupportView(Model):
    """What is in the bundle, without secrets, sound, words or likenesses of sounds."""

    files: list[SupportFile]


def _files(ask: Ask) -> dict[str, str]:
    health = ask.page.board.health
    return bundle_files(ask.page.whole, health.values if health else None, recent_lines())


def preview(ask: Ask) -> Answer:
    """What would be given away."""
    return SupportView(files=[SupportFile(name=name, text=text) for name, text in _files(ask).items()])


def bundle(ask: Ask) -> Answer:
    """The same as a zip."""
    headers = {"Content-Disposition": 'attachment; filename="earwitness-support.zip"'}
    return Response(zipped(_files(ask)), headers=headers, media_type="application/zip")


ROUTES = (
    Route("GET", "api/support", "What a support bundle has", preview, "change", answer=SupportView),
    Route("GET", "api/support.zip", "The support bundle", bundle, "change", answer="application/zip"),
)  # fmt: skip
