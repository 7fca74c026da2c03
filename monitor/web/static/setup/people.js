// Step 5: who is notified, each with a test that has to arrive; and the broker that Home Assistant reads.

import { post, put } from "../api.js";
import { fill, h, icon } from "../base.js";
import { attempt, attemptAt } from "../parts/overlay.js";
import { field } from "../pages/login.js";
import { language, t } from "../words.js";

/** @type {import("../pages/setup.js").Step} */
export default function people(place, shared) {
  const list = h("div", { class: "sources" });
  const broker = h("div");
  place.append(h("h3", null, t("setup.phones")), h("p", { class: "hint" }, t("setup.phones_hint")), list, newPerson(),
    h("h3", null, t("setup.broker")), h("p", { class: "hint" }, t("setup.broker_hint")), broker);
  drawPeople();
  drawBroker();

  function drawPeople() {
    fill(list, shared.choices.people.map(person));
  }

  /** @param {any} one */
  function person(one) {
    const said = h("div", { role: "status" }, one.arrived && h("p", { class: "good" }, icon("check"), " ", t("setup.arrived")));
    const test = h("button", { type: "button", onclick: send }, icon("alarm"), t("setup.send_test"));
    const shown = shared.state.people.find((/** @type {any} */ each) => each.id === one.id)?.shown;
    return h("article", { class: "panel source" }, h("h4", null, one.name, " ", h("small", null, shown ?? "")), said,
      h("p", { class: "acts" }, test, h("button", { type: "button", class: "quiet", onclick: () => drop(one) }, icon("cross"), t("setup.drop"))));

    async function send() {
      test.disabled = true;
      fill(said, h("p", null, t("setup.sending")));
      const answer = await attempt(() => post(`api/setup/people/${one.id}/test?lang=${language}`, {}));
      test.disabled = false;
      if (!answer) return fill(said);
      if (answer.problem) return fill(said, h("p", { class: "error" }, icon("warning"), " ", t("setup.test_failed"), " ", h("small", null, answer.problem)));
      return fill(said, h("p", null, t("setup.did_it_arrive")), h("p", { class: "acts" },
        h("button", { type: "button", class: "primary", onclick: () => arrived(true) }, t("setup.yes")),
        h("button", { type: "button", onclick: () => arrived(false) }, t("setup.no"))));
    }

    /** @param {boolean} yes */
    async function arrived(yes) {
      one.arrived = yes;
      await shared.save({});
      if (yes) drawPeople();
      else fill(said, h("p", { class: "error" }, t("setup.not_arrived")));
    }
  }

  /** @param {any} one */
  async function drop(one) {
    await shared.save({ people: shared.choices.people.filter((/** @type {any} */ each) => each !== one) });
    drawPeople();
  }

  function newPerson() {
    const name = h("input", { id: "person-name", maxlength: "40", required: true, autocomplete: "off", value: t("setup.person_first") });
    const service = h("select", { id: "person-service", onchange: draw },
      ["ntfy", "telegram", "apprise"].map((one) => h("option", { value: one }, t(`setup.service.${one}`))));
    const topic = h("input", { id: "person-topic", maxlength: "64", autocomplete: "off", spellcheck: "false" });
    const token = h("input", { id: "person-token", maxlength: "200", autocomplete: "off", spellcheck: "false" });
    const chat = h("input", { id: "person-chat", maxlength: "40", autocomplete: "off", inputmode: "numeric" });
    const address = h("input", { id: "person-address", maxlength: "500", autocomplete: "off", spellcheck: "false" });
    const more = h("div", { class: "stack" });
    const how = h("p", { class: "hint", role: "status" });
    const refused = h("div", { role: "alert" });
    draw();
    return h("form", { class: "stack", onsubmit: add }, field(service, t("setup.service")), field(name, t("setup.person_name")), more, refused,
      h("button", { type: "submit" }, t("setup.person_add")), how);

    function draw() {
      fill(refused);
      /** @type {Record<string, any[]>} */
      const asked = {
        ntfy: [field(topic, t("setup.topic"), t("setup.topic_hint"))],
        telegram: [field(token, t("setup.token")), field(chat, t("setup.chat"), t("setup.chat_hint"))],
        apprise: [field(address, t("setup.address"), t("setup.address_hint"))],
      };
      fill(more, asked[service.value] ?? []);
    }

    /** @param {Event} event */
    async function add(event) {
      event.preventDefault();
      const control = { ntfy: topic, telegram: token, apprise: address }[/** @type {"ntfy"} */ (service.value)];
      const kept = await attemptAt(control, refused, () => post(`api/setup/people?lang=${language}`, { service: service.value, topic: topic.value, token: token.value,
        chat: chat.value, address: address.value }));
      if (!kept) return;
      const others = shared.choices.people.filter((/** @type {any} */ one) => one.id !== kept.id);
      await shared.save({ people: [...others, { id: kept.id, name: name.value.trim() || t("setup.person_first"), arrived: false }] });
      await shared.reload();
      drawPeople();
      token.value = address.value = "";
      if (service.value === "ntfy") fill(how, t("setup.subscribe"), " ", h("code", null, kept.shown.split("/").pop() ?? ""));
      else fill(how);
    }
  }

  function drawBroker() {
    const known = shared.choices.broker;
    const host = h("input", { id: "broker-host", value: known?.host ?? "127.0.0.1", maxlength: "253", required: true, autocomplete: "off", spellcheck: "false" });
    const port = h("input", { id: "broker-port", type: "number", min: 1, max: 65535, value: known?.port ?? 1883, required: true, autocomplete: "off" });
    const user = h("input", { id: "broker-user", value: known?.username ?? "", maxlength: "100", autocomplete: "off" });
    const password = h("input", { id: "broker-password", type: "password", maxlength: "200", autocomplete: "off" });
    const said = h("p", { role: "status" }, known && [icon("check"), " ", t("setup.broker.takes_us", { host: known.host })]);
    fill(broker, h("form", { class: "stack", onsubmit: ask }, field(host, t("setup.broker_host")), field(port, t("setup.broker_port")),
      field(user, t("setup.broker_user")), field(password, t("login.password")), h("p", { class: "acts" },
        h("button", { type: "submit" }, t("setup.broker_ask")),
        known && h("button", { type: "button", class: "quiet", onclick: async () => {
          await shared.save({ broker: null });
          drawBroker();
        } }, icon("cross"), t("setup.drop")))), said);

    /** @param {Event} event */
    async function ask(event) {
      event.preventDefault();
      fill(said, t("setup.asking"));
      const found = await attempt(() => put("api/setup/broker", { host: host.value.trim(), port: Number(port.value) || 1883,
        username: user.value, password: password.value }));
      if (!found) return fill(said);
      await shared.reload();
      if (found.answer === "takes us") return drawBroker();
      return fill(said, icon("warning"), " ", t(`setup.broker.${found.answer.replaceAll(" ", "_")}`, { host: host.value }));
    }
  }
}
