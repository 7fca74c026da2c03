"""Rules are changed on the page: from templates, checked at every slot, tried on the last days, and applied
over the configuration, with an undo."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError
from starlette.responses import StreamingResponse

from monitor.config.changed_rules import OFF, PREFIX, RuleFinding, findings, laid_over, named
from monitor.config.changed_rules import plain_rule as plain
from monitor.config.model import Config
from monitor.config.overrides import apply, read_steps, without
from monitor.config.yaml_document import Document, parse_document
from monitor.errors import ConfigError
from monitor.rules.model import Rule
from monitor.types import Command
from monitor.web.api.rules import decided_again
from monitor.web.api.sounds import take_effect
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model
from monitor.web.rules.templates import TEMPLATE_IDS, TemplateId, rules_of
from monitor.web.rules.words import rule_words
from monitor.web.trying.deciding import Deciding

Name = Annotated[str, Field(min_length=1, max_length=80)]
Text = Annotated[str, Field(max_length=20_000)]


class TemplateView(Model):
    """Rules that most houses want for one kind of sound."""

    id: TemplateId
    rules: list[dict[str, Any]]
    texts: list[str]
    """Each as a sentence."""


class TemplateList(Model):
    """Every template, and what a rule can name here."""

    templates: list[TemplateView]
    notifiers: list[str]


class RuleDraft(Model):
    """A rule as its keys, or as somebody writes it in YAML."""

    rule: dict[str, Any] | None = None
    yaml: Text | None = None
    replaces: Name | None = None
    """The rule in whose place it would stand; null: it is a new one."""


class FindingView(Model):
    """What is wrong with a rule, or hardly meant."""

    slot: str
    text: str
    fatal: bool
    line: int | None
    """Of the YAML, from 1."""


class Checked(Model):
    """A draft as the daemon understands it."""

    rule: dict[str, Any] | None
    yaml: str
    text: str
    """As a sentence; empty where it is not understood."""
    findings: list[FindingView]


class Trying(RuleDraft):
    """A draft, and the days on which it is tried."""

    days: Annotated[int, Field(ge=1, le=7)] = 1


class WantedRules(Model):
    """Rules to be in force from now on."""

    rules: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=10)]
    replaces: Name | None = None


class Unwanted(Model):
    """A rule to be switched off."""

    name: Name


def templates(ask: Ask) -> Answer:
    """What there is to begin with."""
    notifiers = [block.name for block in ask.page.whole.notifiers]
    views = []
    for id in TEMPLATE_IDS:
        rules = rules_of(id, ask.language, notifiers[:1])
        texts = [rule_words(Rule.model_validate(rule), ask.language) for rule in rules]
        views.append(TemplateView(id=id, rules=rules, texts=texts))
    return TemplateList(templates=views, notifiers=notifiers)


def check(ask: Ask) -> Answer:
    """What `earwitness check` would say of it. Nothing is changed."""
    wanted: RuleDraft = ask.body
    return _checked(ask, wanted)


def _checked(ask: Ask, wanted: RuleDraft) -> Checked:
    document = _parsed(_yaml(wanted.rule or {}) if wanted.yaml is None else wanted.yaml)
    if isinstance(document, str):
        return _not_understood(wanted, document)
    value = _only(document)
    if not isinstance(value, Mapping):
        return _not_understood(wanted, "write one rule: `name:`, `hear:` and what goes with it")
    written = without(ask.page.whole, read_steps(ask.page.folder))
    views = [_view(one, document) for one in findings(written, value, wanted.replaces)]
    views += [FindingView(slot="", text=one, fatal=True, line=None) for one in document.problems]
    try:
        rule = Rule.model_validate(dict(value))
    except ValidationError:
        keys = json.loads(json.dumps(value, default=str))
        return Checked(rule=keys, yaml=wanted.yaml or _yaml(value), text="", findings=views)
    text = rule_words(rule, ask.language)
    return Checked(rule=plain(rule), yaml=wanted.yaml or _yaml(plain(rule)), text=text, findings=views)


def _not_understood(wanted: RuleDraft, why: str) -> Checked:
    found = [FindingView(slot="", text=why, fatal=True, line=None)]
    return Checked(rule=None, yaml=wanted.yaml or "", text="", findings=found)


def _parsed(text: str) -> Document | str:
    """The draft with its lines, or why it cannot be read. `${NAME}` is filled in with nothing: a secret of
    the daemon's does not become a part of a rule."""
    lines = text.strip("\n").splitlines() or [""]
    if not lines[0].lstrip().startswith("- "):
        lines = [f"- {lines[0]}", *(f"  {line}" for line in lines[1:])]
    try:
        return parse_document("\n".join(["rules:", *lines, ""]).encode(), "rule", {})
    except ConfigError as error:
        return "; ".join(error.problems)


def _only(document: Document) -> Any:
    rules = document.values.get("rules")
    return rules[0] if isinstance(rules, list) and len(rules) == 1 else None


def _view(one: RuleFinding, document: Document) -> FindingView:
    parts = [
        int(part) if part.isdigit() else part
        for part in one.slot.replace("[", ".").replace("]", "").split(".")
    ]
    line = document.lines.get(document.nearest(("rules", 0, *filter(None, map(str, parts)))), 2) - 1
    return FindingView(slot=one.slot, text=one.text, fatal=one.fatal, line=max(line, 1))


def _yaml(value: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, default_flow_style=None, width=80)


def tried(ask: Ask) -> Answer:
    """The last days decided again with the draft. Lines of JSON, as of `api/whatif`."""
    wanted: Trying = ask.body
    page = ask.page
    found = _checked(ask, RuleDraft(rule=wanted.rule, yaml=wanted.yaml, replaces=wanted.replaces))
    wrong = [one.text for one in found.findings if one.fatal]
    if wrong or found.rule is None:
        raise Refusal(422, "; ".join(wrong) or "this is no rule")
    if not page.keeps_history():
        raise Refusal(409, "there is nothing to decide again, because nothing is kept (`history_days`)")
    now = page.clock.now()
    config = _with(page.whole, found.rule, wanted.replaces)
    job = Deciding(config, page.folder, now - timedelta(days=wanted.days), now, ())
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(decided_again(ask, job), headers=headers, media_type="application/x-ndjson")


def _with(config: Config, rule: Mapping[str, Any], replaces: str | None) -> Config:
    values: dict[str, Any] = {f"{PREFIX}{rule['name']}": rule}
    if replaces is not None and replaces != rule["name"]:
        values[f"{PREFIX}{replaces}"] = OFF
    return laid_over(config, values)


def put(ask: Ask) -> Answer:
    """Have rules in force from now on. An undo takes them back."""
    wanted: WantedRules = ask.body
    page = ask.page
    with page.changing:
        written = without(page.whole, read_steps(page.folder))
        values: dict[str, Any] = {}
        for one in wanted.rules:
            wrong = [found.text for found in findings(page.whole, one, wanted.replaces) if found.fatal]
            if wrong:
                raise Refusal(422, "; ".join(wrong))
            rule = Rule.model_validate(one)
            values[f"{PREFIX}{rule.name}"] = plain(rule)
        if wanted.replaces is not None and f"{PREFIX}{wanted.replaces}" not in values:
            values[f"{PREFIX}{wanted.replaces}"] = _gone(written, wanted.replaces)
        _apply(ask, written, values)
    return None


def switch_off(ask: Ask) -> Answer:
    """A rule raises no alert from now on. An undo takes that back."""
    wanted: Unwanted = ask.body
    page = ask.page
    if named(page.whole, wanted.name) is None:
        raise Refusal(404, "there is no such rule; `api/rules` lists them")
    with page.changing:
        written = without(page.whole, read_steps(page.folder))
        _apply(ask, written, {f"{PREFIX}{wanted.name}": _gone(written, wanted.name)})
    return None


def _gone(written: Config, name: str) -> bool | None:
    """Off where the configuration has it; one that was made here is as the configuration has it: not."""
    return None if named(written, name) is None else OFF


def _apply(ask: Ask, written: Config, values: dict[str, Any]) -> None:
    try:
        apply(written, values, by=f"page {ask.by}".strip(), at=ask.page.clock.now())
    except ConfigError as error:
        raise Refusal(422, "; ".join(error.problems)) from None
    take_effect(ask, written)


def test(ask: Ask) -> Answer:
    """Raise a test alert of one rule, through the whole chain."""
    number, rules = ask.path["number"], ask.page.whole.rules
    if not number.isdecimal() or len(number) > 4 or int(number) >= len(rules):
        raise Refusal(404, "there is no such rule; `api/rules` lists them")
    ask.page.command(Command("test", value=rules[int(number)].name, by=f"page {ask.by}"))
    return None


ROUTES = (
    Route("GET", "api/rules/templates", "Rules that most houses want", templates, answer=TemplateList),
    Route("POST", "api/rules/check", "Check a rule", check, "change", body=RuleDraft, answer=Checked),
    Route("POST", "api/rules/try", "Decide the last days again with a rule", tried, "change", body=Trying,
          answer="application/x-ndjson", fails=(409,)),
    Route("PUT", "api/rules", "Have rules in force", put, "change", body=WantedRules, status=204),
    Route("POST", "api/rules/off", "Switch a rule off", switch_off, "change", body=Unwanted, status=204,
          fails=(404,)),
    Route("POST", "api/rules/{number}/test", "Raise a test alert of a rule", test, "change", status=204,
          fails=(404,)),
)  # fmt: skip
