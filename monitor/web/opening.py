"""Opens the page inside the daemon; or says why it is off."""

from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec

from monitor.clock import Clock
from monitor.config.house import build_house
from monitor.config.model import Config
from monitor.config.web import NodesConfig
from monitor.delivery.delivery import Delivery
from monitor.history.verdicts import Verdicts
from monitor.logs import get_logger
from monitor.publishers.mqtt.config import MqttConfig
from monitor.web.access.keys import Keys
from monitor.web.http.server import PageServer
from monitor.web.nodes.subscriber import NodeSubscriber
from monitor.web.page import Page

log = get_logger()

LIBRARIES = ("starlette", "uvicorn", "httptools", "prometheus_client")
"""What the extra `web` installs; loaded by the page's own thread, later."""


def open_page(
    config: Config,
    delivery: Delivery,
    verdicts: Verdicts,
    look: Callable[[], None],
    clock: Clock,
    life: ExitStack,
) -> Page | None:
    """The page, open in `life`; None where its library is missing: that is logged, and everything else goes
    on. `look` has somebody look whether anything was changed."""
    if missing := [name for name in LIBRARIES if find_spec(name) is None]:
        log.warning("the page is off", reason=f"{missing[0]} is missing", fix="pip install 'earwitness[web]'")
        return None
    keys = life.enter_context(Keys(config.state_folder(), clock))
    settings = delivery.settings.in_force()
    page = Page(
        config, build_house(config), settings, delivery.command, delivery.show, look, keys, verdicts, clock
    )
    page.waiting = delivery.active.waiting
    if config.web.nodes is not None:
        page.nodes = _subscribed(config, config.web.nodes, clock, life)
    life.enter_context(PageServer(page))
    return page


def _subscribed(config: Config, nodes: NodesConfig, clock: Clock, life: ExitStack) -> NodeSubscriber:
    brokers = (one for one in config.publishers if isinstance(one, MqttConfig))
    broker = next(one for one in brokers if nodes.broker in (None, one.name))
    return life.enter_context(NodeSubscriber(broker, nodes.topics, config.node, clock))
