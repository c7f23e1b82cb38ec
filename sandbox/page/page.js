// What came from the bot, from people or from the appliance becomes text nodes, never markup.
"use strict";

const FIRST = "U0RITA", HOME = "home";
const $ = (id) => document.getElementById(id);
const seen = { view: null, board: null };
const dismissed = new Set();
let me = "", channel = "", live = null, clicked = false, pid = null, acts = Promise.resolve();

/** An element with properties, then children: nodes, or words as text nodes. */
function el(name, props = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key in node && key !== "list") node[key] = value;
    else if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

/** Makes the children of `box` those of `items`; what has not changed stays as it is. */
function sync(box, items, draw) {
  const wanted = new Set(items.map((item) => item.key));
  // First, because moving a node past those that go would take the focus from it.
  for (const node of [...box.children]) if (!wanted.has(node.dataset.key)) node.remove();
  const old = new Map([...box.children].map((node) => [node.dataset.key, node]));
  let at = box.firstElementChild;
  for (const item of items) {
    const said = JSON.stringify(item);
    let node = old.get(item.key);
    if (!node || node.said !== said) {
      const fresh = draw(item, node);
      fresh.dataset.key = item.key;
      fresh.said = said;
      if (node && node !== fresh) {
        const focus = node.contains(document.activeElement) && document.activeElement.dataset.focus;
        if (node === at) at = fresh;
        node.replaceWith(fresh);
        if (focus) (fresh.querySelector(`[data-focus="${CSS.escape(focus)}"]`) || $("log")).focus();
      }
      node = fresh;
    }
    if (node === at) at = at.nextElementSibling;
    else box.insertBefore(node, at);
  }
}

// ---- Slack's markup -------------------------------------------------------------------------

const INLINE = /`([^`\n]+)`|<([^<>\n]+)>|(?<!\w)([*_~])(?=\S)([^\n]*?\S)\3(?!\w)/;
const ID = /([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const STYLES = { "*": "strong", _: "em", "~": "s" };
const unescaped = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

function inline(text) {
  const nodes = [];
  for (let found; (found = INLINE.exec(text)); text = text.slice(found.index + found[0].length)) {
    nodes.push(unescaped(text.slice(0, found.index)));
    if (found[1] !== undefined) nodes.push(el("code", {}, unescaped(found[1])));
    else if (found[2] !== undefined) nodes.push(angle(found[2]));
    else nodes.push(el(STYLES[found[3]], {}, inline(found[4])));
  }
  return [...nodes, unescaped(text)];
}

/** What stands between angle brackets: people, channels, groups, dates, links. */
function angle(inner) {
  const bar = inner.indexOf("|");
  const what = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? "" : unescaped(inner.slice(bar + 1));
  const { people, groups, channels } = seen.view;
  if (what.startsWith("@")) {
    const mine = what.slice(1) === me ? " mine" : "";
    return el("span", { className: `mention${mine}` }, `@${people[what.slice(1)]?.name || label || what.slice(1)}`);
  }
  if (what.startsWith("#")) {
    const found = channels.find((one) => one.key === what.slice(1));
    return el("span", { className: "mention" }, `#${found?.name || label || what.slice(1)}`);
  }
  if (what.startsWith("!subteam^")) return el("span", { className: "mention" }, `@${groups[what.slice(9)] || label || what.slice(9)}`);
  if (what.startsWith("!date^")) return date(what, label);
  if (what.startsWith("!")) return el("span", { className: "mention mine" }, `@${what.slice(1)}`);
  // A link to a card leads to it in this page: in a browser it would leave this machine.
  const card = /\/archives\/(\w+)\/p(\d+)(\d{6})$/.exec(what);
  if (card) return el("button", { type: "button", className: "plain", onclick: () => goTo(card[1], `${card[2]}.${card[3]}`) }, label);
  if (/^https?:\/\//.test(what)) return el("a", { href: unescaped(what), rel: "noreferrer", target: "_blank" }, label || unescaped(what));
  return label || unescaped(what);
}

function date(what, fallback) {
  const [, seconds, pattern = ""] = what.split("^");
  const moment = new Date(Number(seconds) * 1000);
  if (Number.isNaN(moment.getTime())) return fallback;
  const words = (options) => new Intl.DateTimeFormat("en-GB", options).format(moment);
  const days = Math.round((new Date(moment).setHours(12, 0, 0, 0) - new Date().setHours(12, 0, 0, 0)) / 864e5);
  const near = { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days];
  // The two formats that the bot uses.
  const formats = {
    date_short_pretty: near || words({ day: "numeric", month: "short", year: "numeric" }), time: words({ timeStyle: "short" }),
  };
  const shown = pattern.replace(/\{(\w+)\}/g, (all, name) => formats[name] ?? all);
  return el("time", { dateTime: moment.toISOString(), title: fallback }, shown);
}

function mrkdwn(text) {
  const box = el("div", { className: "text" });
  text.split("```").forEach((part, number, all) => {
    if (number % 2 && number < all.length - 1) box.append(el("pre", {}, unescaped(part.replace(/^\n|\n$/g, ""))));
    else box.append(...lines(part.replace(number ? /^\n/ : /^$/, "").replace(number < all.length - 1 ? /\n$/ : /^$/, "")));
  });
  return box;
}

function lines(text) {
  const nodes = [];
  let quote = null;
  for (const line of text.split("\n")) {
    const quoted = /^(>|&gt;)/.exec(line);
    const words = inline(quoted ? line.slice(quoted[0].length) : line);
    if (quoted) {
      if (!quote) nodes.push((quote = el("blockquote")));
      quote.append(el("div", {}, words));
    } else {
      quote = null;
      if (line || nodes.length) nodes.push(el("div", {}, words, line ? "" : el("br")));
    }
  }
  return nodes;
}

const words = (object) => (object.type === "mrkdwn" ? mrkdwn(object.text) : el("div", { className: "text" }, object.text));

// ---- Blocks ---------------------------------------------------------------------------------

/** `act(element, button, block)` is what a press does; without it the buttons stay dead. */
function drawBlock(block, act, errors = {}) {
  switch (block.type) {
    case "header": return el("h3", { className: "header" }, block.text.text);
    case "divider": return el("hr");
    case "context": return el("div", { className: "context" }, block.elements.map(words));
    case "actions": return el("div", { className: "row" }, block.elements.map((one) => drawElement(one, act, block)));
    case "section": return el("div", { className: "section" }, el("div", {},
      block.text ? words(block.text) : "",
      block.fields ? el("div", { className: "fields" }, block.fields.map(words)) : ""),
      block.accessory ? drawElement(block.accessory, act, block) : "");
    case "input": return drawInput(block, act, errors);
    default: return el("p", {}, `[a block of type ${block.type} is not shown here]`);
  }
}

function drawElement(element, act, block) {
  if (element.type !== "button") return control(element, block, act, element.placeholder?.text || "Choose");
  const button = el("button", {
    type: "button", className: element.style || "", "aria-label": element.accessibility_label,
    "data-focus": element.action_id, "data-action": element.action_id, disabled: !act,
  }, element.text.text);
  button.onclick = async () => {
    if (button.pressed || (element.confirm && !(await confirmed(element.confirm)))) return;
    button.pressed = true;
    await act(element, block);
    button.pressed = false;
  };
  return button;
}

function drawInput(block, act, errors) {
  const label = block.label.text + (block.optional ? " (optional)" : "");
  const error = errors[block.block_id];
  const id = `about-${block.block_id}`;
  const ticks = block.element.type === "radio_buttons";
  const field = control(block.element, block, block.dispatch_action ? act : null, label);
  if (!ticks) for (const one of field.matches("div") ? field.children : [field]) {
    if (error) one.setAttribute("aria-invalid", "true");
    if (error || block.hint) one.setAttribute("aria-describedby", id);
  }
  return el(ticks ? "fieldset" : "div", { className: "input" },
    el(ticks ? "legend" : "div", { className: "label", "aria-hidden": ticks ? null : "true" }, label), field,
    error || block.hint ? el("div", { id, className: error ? "error" : "hint" }, error || block.hint.text) : "");
}

/** One field; `read` on it gives its value as the local Slack wants it, `put` restores one. */
function control(element, block, act, label) {
  const optionsOf = (list) => (list || []).map((one) => el("option", { value: one.value }, one.text.text));
  const tell = () => act && act(element, block, field.read());
  const required = block.type === "input" && !block.optional;
  const start = element.initial_option?.value ?? element.initial_value ?? "";
  let field;
  if (element.type === "plain_text_input") {
    field = el(element.multiline ? "textarea" : "input", {
      value: start, required, maxLength: element.max_length || 3000, minLength: element.min_length || 0,
      placeholder: element.placeholder?.text || "", "aria-label": label,
    });
    field.read = () => field.value || null;
    field.onchange = tell;
  } else if (element.type === "datepicker" || element.type === "timepicker") {
    const kind = element.type.slice(0, 4);
    field = el("input", { type: kind, value: element[`initial_${kind}`] || "", required, "aria-label": label, onchange: tell });
    field.read = () => field.value || null;
  } else if (element.type === "static_select" || element.type === "external_select") {
    const none = el("option", { value: "" }, element.placeholder?.text || "Choose …");
    const initial = element.type === "external_select" && element.initial_option ? [element.initial_option] : [];
    const select = el("select", { required, "aria-label": label }, none, optionsOf(element.options), optionsOf(initial));
    select.value = start;
    select.onchange = tell;
    field = element.type === "static_select" ? select : el("div", { className: "search" }, search(element, block, select, label), select);
    field.read = () => select.value || null;
    field.put = (value, text) => {
      const there = [...select.options].some((one) => one.value === value);
      if (!there && text && field !== select) select.append(el("option", { value }, text));
      select.value = there || field !== select ? value ?? "" : "";
    };
  } else if (element.type === "radio_buttons") {
    const boxes = element.options.map((one) => el("input", {
      type: "radio", name: block.block_id, value: one.value, checked: one.value === start, onchange: tell,
    }));
    field = el("div", { className: "ticks" }, boxes.map((box, number) => {
      const option = element.options[number];
      return el("label", {}, box, el("span", {}, words(option.text), option.description ? el("div", { className: "hint" }, words(option.description)) : ""));
    }));
    field.read = () => boxes.find((box) => box.checked)?.value ?? null;
    field.put = (value) => boxes.forEach((box) => { box.checked = box.value === value; });
  } else return el("p", {}, `[an element of type ${element.type} is not shown here]`);
  field.put = field.put || ((value) => { field.value = value ?? ""; });
  field.dataset.block = block.block_id;
  return field;
}

/** The box to type into beside an external select: the bot gives the options. */
function search(element, block, select, label) {
  const box = el("input", { type: "search", placeholder: "Type to search", "aria-label": `Search: ${label}` });
  let late = 0;
  const ask = async () => {
    if (box.value.length < (element.min_query_length ?? 3)) return;
    const answer = await post({ do: "suggest", view: seen.view.modal?.id, block_id: block.block_id, typed: box.value });
    if (!answer?.options) return;
    const chosen = select.selectedOptions[0]?.value ? [select.selectedOptions[0]] : [];
    const found = answer.options.filter((one) => one.value !== chosen[0]?.value);
    select.replaceChildren(el("option", { value: "" }, `${found.length + chosen.length} found`), ...chosen, ...found.map((one) => el("option", { value: one.value }, one.text.text)));
    if (chosen.length) select.value = chosen[0].value;
  };
  box.oninput = () => { clearTimeout(late); late = setTimeout(ask, 250); };
  box.onfocus = () => select.options.length < 2 && ask();
  return box;
}

// ---- Messages -------------------------------------------------------------------------------

function drawMessage(message) {
  const person = message.alone ? { name: "vr-unpair", bot: true } : seen.view.people[message.user] || { name: message.user };
  const name = person.bot ? "vr-unpair" : person.name;
  const at = new Date(Number(message.ts.split(".")[0]) * 1000);
  const press = (element) => act({ do: "click", channel: message.channel, ts: message.ts, action_id: element.action_id, value: element.value });
  const body = message.blocks.length ? message.blocks.map((block) => drawBlock(block, press)) : [mrkdwn(message.text)];
  const dismiss = () => { dismissed.add(message.key); showView(); };
  return el("article", { className: message.alone ? "message alone" : "message" },
    el("div", { className: "face", "data-name": name, "aria-hidden": "true" }, name[0].toUpperCase()),
    el("div", { className: "body" },
      message.alone ? el("div", { className: "only" }, "Only visible to you ", el("button", { type: "button", className: "plain", onclick: dismiss }, "Dismiss")) : "",
      el("div", { className: "who" }, el("b", {}, name), person.bot ? el("span", { className: "app" }, "APP") : "",
        el("time", { dateTime: at.toISOString() }, at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" }))),
      body, message.edited ? el("span", { className: "edited" }, "(edited)") : ""));
}

function drawTop(top, old) {
  const item = old || el("div", {}, el("div"), el("div", { className: "thread" }));
  const { thread, ...own } = top;
  sync(item.firstElementChild, [own], drawMessage);
  const shown = thread.filter((one) => !dismissed.has(one.key));
  const count = { key: "count", count: shown.length };
  const drawReply = (one) => (one === count ? el("p", { className: "count" }, `${one.count} ${one.count === 1 ? "reply" : "replies"}`) : drawMessage(one));
  sync(item.lastElementChild, shown.length ? [count, ...shown] : [], drawReply);
  return item;
}

/** A channel or the Home tab, which the bot fills each time it is opened. */
function open(key) {
  channel = key;
  $("log").replaceChildren();
  showView();
  if (key === HOME) act({ do: "home" });
}

function goTo(place, ts) {
  open(place);
  $("log").querySelector(`[data-key="${CSS.escape(ts)}"]`)?.scrollIntoView();
}

function showHome(blocks) {
  sync($("log"), [{ key: HOME, blocks }], () => el("article", { className: "message" },
    el("div", { className: "body" }, blocks.length ? blocks.map((block) => drawBlock(block)) : el("p", { className: "empty" }, "The bot fills this tab when it is opened."))));
}

function showView() {
  const view = seen.view;
  const home = channel === HOME;
  if (!home && !view.channels.some((one) => one.key === channel)) channel = view.channels[0].key;
  const places = view.channels.map(({ key, name, direct }) => ({ key, words: (direct ? "✉ " : "# ") + name, on: key === channel }));
  sync($("channels"), [...places, { key: HOME, words: "Home", on: home }], (one) => el("button", {
    type: "button", "data-focus": one.key, "aria-current": one.on ? "true" : "false", onclick: () => open(one.key),
  }, one.words));
  $("composer").hidden = $("examples").hidden = home;
  showModal(view.modal);
  if (home) { showHome(view.home); return; }
  const here = view.channels.find((one) => one.key === channel);
  const log = $("log");
  const drawn = log.dataset.channel === channel ? new Set([...log.children].map((node) => node.dataset.key)) : null;
  log.dataset.channel = channel;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 90;
  const before = log.querySelectorAll(".alone").length;
  const tops = here.messages.filter((one) => !dismissed.has(one.key));
  sync(log, tops.map((top) => ({ ...top, hidden: top.thread.filter((one) => dismissed.has(one.key)).length })), ({ hidden, ...top }, old) => drawTop(top, old));
  if (!tops.length && !log.children.length) log.append(el("p", { className: "empty" }, "Nothing here yet. Send the command below, then become an approver and press a button on the card."));
  const alone = log.querySelectorAll(".alone");
  // A card is read from its top, wherever one was reading before.
  const card = drawn && tops.filter((top) => !drawn.has(top.key) && !top.alone && top.blocks.some((block) => block.type === "actions")).pop();
  if (card) log.querySelector(`[data-key="${CSS.escape(card.key)}"]`).scrollIntoView({ block: "start" });
  else if (atEnd) log.scrollTop = log.scrollHeight;
  else if (clicked && alone.length > before) alone[alone.length - 1].scrollIntoView({ block: "nearest" });
}

// ---- Dialogs --------------------------------------------------------------------------------

function confirmed(confirm) {
  const box = $("confirm");
  box.querySelector("h2").textContent = confirm.title.text;
  box.querySelector(".blocks").replaceChildren(words(confirm.text));
  box.querySelector("footer").replaceChildren(
    el("button", { value: "" }, confirm.deny.text), el("button", { value: "yes", className: confirm.style || "primary" }, confirm.confirm.text));
  box.returnValue = "";
  box.showModal();
  return new Promise((done) => { box.onclose = () => done(box.returnValue === "yes"); });
}

function showModal(modal) {
  const box = $("modal");
  if (!modal) { if (box.open) { box.said = ""; box.close(); } return; }
  const said = JSON.stringify([modal.id, modal.hash, modal.errors]);
  if (box.open && box.said === said) return;
  const kept = box.view === modal.id ? valuesOf(box) : null;
  const focus = box.contains(document.activeElement) ? document.activeElement.closest("[data-block]")?.dataset.block : null;
  box.said = said;
  box.view = modal.id;
  box.querySelector("h2").textContent = modal.title;
  const tell = (element, block, value) => act({ do: "choose", view: modal.id, block_id: block.block_id, value: value ?? null });
  box.querySelector(".blocks").replaceChildren(...modal.blocks.map((block) => drawBlock(block, tell, modal.errors)));
  for (const field of box.querySelectorAll("[data-block]")) {
    const chosen = modal.chosen[field.dataset.block];
    if (kept && field.dataset.block in kept) field.put(kept[field.dataset.block].value, kept[field.dataset.block].text);
    else if (chosen) field.put(Array.isArray(chosen) ? chosen.map((one) => one.value) : chosen.value ?? chosen, chosen.text?.text);
  }
  const back = () => act({ do: "close", view: modal.id });
  const form = box.querySelector("form");
  box.querySelector("footer").replaceChildren(
    el("button", { type: "button", onclick: back }, modal.close), modal.submit ? el("button", { className: "primary" }, modal.submit) : "");
  box.oncancel = (event) => { event.preventDefault(); back(); };
  form.onsubmit = (event) => {
    event.preventDefault();
    const values = Object.fromEntries(Object.entries(valuesOf(box)).map(([key, one]) => [key, one.value]));
    act({ do: "submit", view: modal.id, values });
  };
  if (!box.open) box.showModal();
  else if (focus) box.querySelector(`[data-block="${CSS.escape(focus)}"]`)?.focus();
}

function valuesOf(box) {
  const fields = [...box.querySelectorAll("[data-block]")];
  return Object.fromEntries(fields.map((field) => [field.dataset.block, {
    value: field.read(), text: (field.matches("select") ? field : field.querySelector("select"))?.selectedOptions[0]?.textContent,
  }]));
}

// ---- Switches and board ---------------------------------------------------------------------

function showBoard() {
  const { bot, settings, examples, switches, requests, deletes, calls, callsPerMinute, refusals } = seen.board;
  // What Slack said of the process before is over; what was said of its start is not.
  if (bot.running && bot.pid !== pid && $("note").textContent.startsWith("Slack: ")) $("note").textContent = "";
  if (bot.running) pid = bot.pid;
  $("bot").replaceChildren(el("span", { className: bot.running ? "badge good" : "badge" }, bot.running ? "runs" : "does not run"), bot.running ? ` as process ${bot.pid}` : " When it starts, it goes on from its database.");
  $("kill").disabled = !bot.running;
  $("start").disabled = bot.running;
  sync($("choices"), switches.choices.map((one) => ({ key: one.name, ...one })), drawChoice);
  sync($("bot-choices"), switches.settings.map((one) => ({ key: one.name, ...one })), drawChoice);
  sync($("settings"), settings.map(([key, value, before]) => ({ key, value, before })), (one) => el("li", {},
    el("code", {}, `${one.key}=${one.value}`), el("span", { className: "hint" }, one.before ? ` (default ${one.before})` : " (no default)")));
  sync($("examples"), examples.map(([label, text]) => ({ key: label, text })), (one) => el("button", {
    type: "button", title: one.text, "data-focus": one.key, onclick: () => { $("text").value = one.text; $("text").focus(); },
  }, one.key));
  sync($("pairings"), switches.pairings, drawPairing);
  sync($("requests"), requests, drawRequest);
  if (!requests.length) $("requests").replaceChildren(el("p", { className: "hint" }, "None yet."));
  $("deletes").replaceChildren(...counted(deletes));
  $("room").textContent = `Here the bot may make ${callsPerMinute} calls a minute, so that you need not wait. A real appliance takes 50, and the bot keeps to 40 (VR_CALLS_PER_MINUTE).`;
  const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en-GB");
  sync($("calls").tBodies[0], [...calls].reverse(), (call) => el("tr", { className: call.unpair ? "unpair" : "" },
    el("td", {}, clock(call.at)),
    el("td", { title: call.path }, el("b", {}, call.method), ` ${call.path.replace(ID, "$1…")}`, call.times > 1 ? ` ×${call.times}` : ""),
    el("td", {}, call.status ?? "none")));
  sync($("refusals"), [...refusals].reverse(), (one) => el("li", {}, `${clock(one.at)} ${one.method}: `, el("code", {}, one.error)));
  if (!refusals.length) $("refusals").replaceChildren(el("li", { className: "hint" }, "Nothing."));
}

const counted = ({ sent, accepted }) => ["DELETE sent: ", el("b", {}, sent), ", accepted: ", el("b", {}, accepted)];

function drawChoice(one) {
  const select = el("select", { "data-focus": one.name, onchange: () => act({ do: "switch", name: one.name, value: select.value }) },
    one.options.map(([value, label]) => el("option", { value, selected: value === one.value }, label)));
  return el("label", { className: "choice" }, one.label, select);
}

function drawPairing(pairing) {
  const change = (what, label, title) => el("button", { type: "button", "data-focus": what, title, "aria-label": `${label}: ${pairing.name}`, onclick: () => act({ do: "change", pairing: pairing.key, change: what }) }, label);
  const facts = pairing.there ? [`${pairing.replications} replications`, pairing.protected ? `${pairing.protected} in recovery plans` : "", pairing.remote_down ? "remote site down" : ""] : ["gone"];
  return el("div", { className: "pairing" }, el("b", {}, pairing.name), ` ${facts.filter(Boolean).join(", ")}`,
    el("div", { className: "row small" },
      pairing.there && !pairing.self ? [
        change("remote", pairing.remote_down ? "Remote up" : "Remote down", "Whether the remote site can be reached"),
        change("more", "+1 VM", "One more VM is replicated"),
        change("rebuilt", "Rebuild", "The remote servers are rebuilt and have new ids"),
      ] : "",
      pairing.there ? change("broken", "Break", "Somebody else breaks the pairing") : change("back", "Put it back", "As it was at the beginning")));
}

function drawRequest(request, old) {
  const good = { succeeded: "good", failed: "bad", attention: "bad", refused: "bad" }[request.state] || "";
  const who = (actor) => seen.view?.people[actor]?.name || actor;
  // What has ended folds by itself, once.
  const open = old && old.dataset.ended === String(request.ended) ? old.open : !request.ended;
  return el("details", { open, "data-ended": String(request.ended) },
    el("summary", { "data-focus": request.key }, el("span", { className: `badge ${good}` }, request.state), ` ${request.key} `, el("span", {}, `${request.pairing || request.asked}${request.force ? ", one-sided" : ""}`),
      el("div", { className: "hint" }, counted(request.deletes))),
    el("ol", {}, request.events.map((event) => el("li", {}, el("time", {}, new Date(event.at).toLocaleTimeString("en-GB")), " ",
      el("b", {}, who(event.actor)), `: ${event.action.replaceAll("_", " ")}`, event.before !== event.after ? el("span", { className: "hint" }, ` → ${event.after}`) : ""))));
}

// ---- Acting and being told ------------------------------------------------------------------

async function post(body) {
  try {
    const answer = await fetch("act", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ me, ...body }) });
    return answer.ok ? await answer.json() : { note: await answer.text(), wrong: true };
  } catch {
    return { note: "The demo does not answer: was it stopped?", wrong: true };
  }
}

/** One after the other, as a person does it; resolves when the demo has taken it. */
function act(body) {
  const sender = me;
  acts = acts.then(async () => {
    clicked = true;
    document.body.setAttribute("aria-busy", "true");
    const answer = await post({ me: sender, ...body });
    document.body.removeAttribute("aria-busy");
    $("note").textContent = answer.note;
    $("note").className = answer.wrong ? "wrong" : "";
    setTimeout(() => { clicked = false; }, 3000);
  });
  return acts;
}

function become(id) {
  me = id;
  location.hash = id;
  $("note").textContent = "";
  live?.close();
  $("log").replaceChildren();  // who is meant by a mention looks different now
  if (channel === HOME) act({ do: "home" });
  live = new EventSource(`live?me=${encodeURIComponent(id)}`);
  live.onopen = () => { $("link").hidden = true; };
  live.onerror = () => { if (!seen.view && id !== FIRST) become(FIRST); $("link").hidden = false; $("link").textContent = "The demo does not answer. Trying again …"; };
  live.addEventListener("view", (event) => { seen.view = JSON.parse(event.data); showPeople(); showView(); });
  live.addEventListener("board", (event) => { seen.board = JSON.parse(event.data); showBoard(); });
}

function showPeople() {
  $("send").disabled = false;
  const part = seen.view.parts.find((one) => one.key === me);
  $("role").textContent = `${part.name}: ${part.role}`;
  if ($("people").querySelector("input")) return;
  $("people").append(...seen.view.parts.map((part) => el("label", { title: part.role },
    el("input", { type: "radio", name: "me", value: part.key, checked: part.key === me, onchange: () => become(part.key) }),
    el("span", { className: "name" }, part.name), el("small", {}, part.role))));
}

$("composer").onsubmit = async (event) => {
  event.preventDefault();
  const text = $("text").value;
  $("text").value = "";
  await act({ do: "say", channel, text });
};
$("kill").onclick = () => act({ do: "kill" });
$("start").onclick = () => act({ do: "start" });
for (const tab of document.querySelectorAll("#tabs button")) {
  tab.onclick = () => { document.body.dataset.tab = tab.dataset.tab; markTab(); };
}
function markTab() {
  for (const tab of document.querySelectorAll("#tabs button")) tab.setAttribute("aria-current", String(tab.dataset.tab === document.body.dataset.tab));
}
markTab();
$("text").value = "/vr-unpair vcenter-prague moving to the new site, CHG0031337";
become(/^#\w+$/.test(location.hash) ? location.hash.slice(1) : FIRST);
