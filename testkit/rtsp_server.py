#!/usr/bin/python3
"""A camera: an RTSP server that plays a recording in a loop as /aac, /pcma and /opus, for sound and pictures
as /film, for pictures alone as /picture; and as /live in the codec given by --live (aac, pcma, opus).

Runs under the system's Python, which has GStreamer (apt: python3-gi gir1.2-gst-rtsp-server-1.0
gstreamer1.0-plugins-{base,good,bad} gstreamer1.0-libav):
rtsp_server.py RECORDING.wav PORT [--user NAME --password WORD] [--certificate PEM] [--live CODEC]
Prints "ready PORT" when it listens; PORT 0 takes a free one.
"""

import argparse
import sys
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

SOUND = (
    "multifilesrc location={path} loop=true ! wavparse ignore-length=true ! audioconvert ! audioresample ! "
)
AAC = "audio/x-raw,rate=48000,channels=1 ! avenc_aac bitrate=64000 ! rtpmp4gpay name=pay{n} pt=96"
PCMA = "audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay{n} pt=8"
OPUS = "audio/x-raw,rate=48000,channels=1 ! opusenc bitrate=48000 ! rtpopuspay name=pay{n} pt=97"
JPEG = "jpegenc ! rtpjpegpay name=pay0 pt=26"
PICTURE = "videotestsrc ! video/x-raw,format=I420,width=64,height=64,framerate=5/1 ! " + JPEG

STREAMS = {
    "/aac": SOUND + AAC.format(n=0),
    "/pcma": SOUND + PCMA.format(n=0),
    "/opus": SOUND + OPUS.format(n=0),
    "/film": PICTURE + "   " + SOUND + PCMA.format(n=1),
    "/picture": PICTURE,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("recording")
    parser.add_argument("port")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--certificate")
    parser.add_argument("--live", choices=["aac", "pcma", "opus"], default="aac")
    options = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer(address="127.0.0.1", service=options.port)
    permissions = protect(server, options) if options.user or options.certificate else None
    for path, pipeline in {**STREAMS, "/live": STREAMS["/" + options.live]}.items():
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch("( " + pipeline.format(path=options.recording) + " )")
        if permissions is not None:
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(path, factory)
    if not server.attach(None):
        sys.exit("cannot listen")
    print("ready", server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


def protect(server: Any, options: argparse.Namespace) -> Any:
    """Digest authentication, TLS, or both."""
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    if options.user:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(options.user, options.password, token)
    else:
        auth.set_default_token(token)
    if options.certificate:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(options.certificate))
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    for permission in ("access", "construct"):
        permissions.add_permission_for_role("viewer", "media.factory." + permission, True)
    return permissions


main()
