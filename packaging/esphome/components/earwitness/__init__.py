"""ESPHome's side of the component: what its YAML says, and the code that is made of it."""

import re

import esphome.codegen as cg
import esphome.config_validation as cv
from esphome.components import microphone, socket
from esphome.const import CONF_ID, CONF_KEY, CONF_MICROPHONE, CONF_PORT

DEPENDENCIES = ["microphone", "network"]
AUTO_LOAD = ["socket"]
CONF_HOST = "host"

EarwitnessMicrophone = cg.esphome_ns.namespace("earwitness_udp").class_("EarwitnessMicrophone", cg.Component)


def key(value):
    """The source's key, as `openssl rand -hex 32` makes it."""
    text = cv.string_strict(value)
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise cv.Invalid("a key is 64 hexadecimal digits; make one with: openssl rand -hex 32")
    return text


CONFIG_SCHEMA = cv.All(
    cv.Schema(
        {
            cv.GenerateID(): cv.declare_id(EarwitnessMicrophone),
            cv.Required(CONF_HOST): cv.ipv4address,
            cv.Optional(CONF_PORT, default=47800): cv.port,
            cv.Required(CONF_KEY): cv.sensitive(key),
            cv.Optional(CONF_MICROPHONE, default={}): microphone.microphone_source_schema(),
        }
    ).extend(cv.COMPONENT_SCHEMA),
    socket.consume_sockets(1, "earwitness", socket.SocketType.UDP),
    cv.only_on_esp32,
)
FINAL_VALIDATE_SCHEMA = cv.Schema(
    {cv.Required(CONF_MICROPHONE): microphone.final_validate_microphone_source_schema("earwitness")},
    extra=cv.ALLOW_EXTRA,
)


async def to_code(config):
    """The C++ that sets it up."""
    component = cg.new_Pvariable(config[CONF_ID])
    await cg.register_component(component, config)
    source = await microphone.microphone_source_to_code(config[CONF_MICROPHONE])
    cg.add(component.set_microphone_source(source))
    cg.add(component.set_receiver(str(config[CONF_HOST]), config[CONF_PORT]))
    cg.add(component.set_key(config[CONF_KEY]))
