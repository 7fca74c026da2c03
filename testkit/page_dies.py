"""The daemon whose page dies by a bug when somebody asks for `/die`: `page_dies run --config PATH`."""

import asyncio
from importlib import import_module
from typing import Any

from monitor.cli import main

application_module: Any = import_module("monitor.web.http.application")
build_application = application_module.build_application


def mortal(page: Any, routes: Any) -> Any:
    """The page's application; neither uvicorn nor Starlette stands between `/die` and the thread."""
    application = build_application(page, routes)

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") == "/die":
            asyncio.get_running_loop().stop()
            return
        await application(scope, receive, send)

    return serve


application_module.build_application = mortal

if __name__ == "__main__":
    main()
