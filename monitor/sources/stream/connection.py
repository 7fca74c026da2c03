"""Opening a network stream with FFmpeg: what is asked for, what is allowed, and what its refusals mean."""

import errno
import ssl
from pathlib import Path
from typing import Any, Literal

from monitor.errors import SourceUnavailable, Why
from monitor.logs import get_logger
from monitor.schema import Secret, unreadable
from monitor.sources.decoding import plain_reason
from monitor.sources.tracks import chosen_tracks

log = get_logger()

# A playlist may name any address: without this a camera could have local files opened and decoded.
PROTOCOLS = {
    "rtsp": "rtsp,rtp,srtp,udp,tcp",
    "rtsps": "rtsps,rtp,srtp,udp,tcp,tls",
    "http": "http,https,tls,tcp,crypto",
    "https": "https,tls,tcp,crypto",
    "udp": "udp",
}
"""What an address of each scheme may lead to."""
HTTP_FORMATS = "aac,ac3,aiff,asf,au,avi,caf,flac,flv,hls,matroska,mov,mp3,mpegts,ogg,w64,wav"
CA_FILES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
USER_AGENT = "earwitness"
ANALYZE_US = 1_000_000
"""Sound shows its format at once; a camera's pictures would keep us for five seconds."""

NO_ANSWER = "nothing answers at its address; is the camera on, and can it be reached?"
_UNKNOWN = "its stream cannot be read; open its url in a player, such as VLC"
_NO_END = "no stream comes; open its url in a browser: does it redirect in a circle, or send no answer?"
_CERTIFICATE_HINT = ", or its certificate: give its `ca_file`, or set `verify_tls: false`"


class StreamConnection:
    """Opens one stream, again and again. No message carries its address, which may hold a password."""

    def __init__(
        self,
        name: str,
        url: Secret,
        *,
        transport: Literal["tcp", "udp"],
        verify_tls: bool,
        ca_file: Path | None,
        connect_timeout_s: float,
        read_timeout_s: float,
        track: int | None = None,
    ) -> None:
        self._name = name
        self._url = url
        self._scheme = url.get_secret_value().partition(":")[0].lower()
        self._transport = transport
        self._verify_tls = verify_tls
        self._ca_file = ca_file
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._track = track
        self._is_tls = self._scheme in ("rtsps", "https")
        self._audio_only = self._scheme.startswith("rtsp")

    def open(self) -> Any:
        """The open container, with an audio track. Blocks. Raises SourceUnavailable with the fix.

        A camera is asked for its sound alone: pictures are most of its traffic. Not every camera obeys.
        """
        import av

        if self._is_tls and self._ca_file and (reason := unreadable(self._ca_file)):
            raise SourceUnavailable(f"{self._name}: ca_file: {reason}", refused=True)
        if self._audio_only:
            try:
                return self._with_sound({"allowed_media_types": "audio"})
            except (av.FFmpegError, OSError) as error:
                if isinstance(error, _lasting()):
                    raise self._unavailable(error) from None
                self.ask_for_everything(plain_reason(error))
        try:
            return self._with_sound({})
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._unavailable(error) from None

    def ask_for_everything(self, reason: str) -> None:
        """From the next opening on, pictures are asked for too."""
        if self._audio_only:
            log.info("asking the camera for pictures, too", source=self._name, reason=reason)
            self._audio_only = False

    def _with_sound(self, more_options: dict[str, str]) -> Any:
        import av

        container = av.open(
            self._url.get_secret_value(),
            options=self._options() | more_options,
            timeout=(self._connect_timeout_s, self._read_timeout_s),
            metadata_errors="replace",
        )
        if chosen_tracks(container.streams.audio, self._track):
            return container
        count = len(container.streams.audio)
        container.close()
        raise SourceUnavailable(f"{self._name}: {self._no_track(count)}", refused=True, why="no_sound")

    def _no_track(self, count: int) -> str:
        if self._track is not None and count:
            return f"the stream has no sound track {self._track} that can be decoded, of {count}"
        return "the stream has no sound; switch it on in the camera's settings, or use another of its streams"

    def _options(self) -> dict[str, str]:
        options = {
            "protocol_whitelist": PROTOCOLS[self._scheme],
            "timeout": str(round(self._connect_timeout_s * 1e6)),
            "analyzeduration": str(ANALYZE_US),
        }
        if self._scheme.startswith("rtsp"):
            options["rtsp_transport"] = self._transport
        if self._scheme.startswith("http"):
            options |= {"format_whitelist": HTTP_FORMATS, "user_agent": USER_AGENT, "live_start_index": "-1"}
        if self._scheme in ("rtsps", "https", "http"):
            # By default FFmpeg verifies nothing, and knows no system authorities.
            options["tls_verify"] = str(int(self._verify_tls))
            options["ca_file"] = str(self._ca_file or _system_ca_file())
        return options

    def _unavailable(self, error: Exception) -> SourceUnavailable:
        import av

        reason = "no answer in time" if isinstance(error, av.error.ExitError) else plain_reason(error)
        found = (one for kinds, one in self._hints().items() if isinstance(error, kinds))
        unknown: tuple[Why, str] = ("", _UNKNOWN)
        why, hint = next(found, unknown)
        if self._scheme == "http" and getattr(error, "errno", None) == errno.EIO:
            hint = _NO_END
        # FFmpeg's words come last: they are for whoever searches for them.
        return SourceUnavailable(
            f"{self._name}: {hint} (the stream cannot be opened: {reason})",
            refused=isinstance(error, _refusals()),
            why=why,
        )

    def _hints(self) -> dict[Any, tuple[Why, str]]:
        """What an error means, and what to do; the first that fits."""
        import av

        certificate = _CERTIFICATE_HINT if self._is_tls else ""
        return {
            (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError): (
                "password", "it does not let us in; check user name and password",
            ),
            av.error.HTTPNotFoundError: ("path", "there is no such stream; check the path in its url"),
            (av.error.ExitError, TimeoutError): ("nobody", NO_ANSWER),
            OSError: ("nobody", f"it cannot be reached; check host and port in its url{certificate}"),
            av.InvalidDataError: (
                "no_stream",
                "what answers is no stream; does a camera answer there, and is this a stream with sound?",
            ),
        }  # fmt: skip


def _system_ca_file() -> Path | str:
    known = (ssl.get_default_verify_paths().cafile, *CA_FILES)
    return next((Path(file) for file in known if file and Path(file).is_file()), "")


def _refusals() -> tuple[type[Exception], ...]:
    """Answers that the same request will get again."""
    import av

    return (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError, av.error.HTTPNotFoundError)


def _lasting() -> tuple[type[Exception], ...]:
    """Errors that asking for pictures too would not change."""
    import av

    return (*_refusals(), av.error.ExitError, TimeoutError, ConnectionError)
