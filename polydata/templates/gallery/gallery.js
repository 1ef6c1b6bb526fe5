// The page: controls, the grid (only what is in sight is in the page) and the view of one image.
// Text from papers reaches the page as text nodes only.
"use strict";

var Gallery = (function () {
  var CARD_WIDTH = 216, ROW_HEIGHT = 316, THUMB_WIDTH = 186, THUMB_HEIGHT = 166;
  var entries = [], shown = [], bySha = new Map(), state = Filter.parse(location.hash), ready = false;
  var byId = function (id) { return document.getElementById(id); };
  var total = Number(document.body.dataset.total);

  function make(tag, className, text) {
    var element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined && text !== null) element.textContent = text;
    return element;
  }

  function picture(source, alt) {
    var image = make("img");
    image.src = source;
    image.alt = alt;
    image.decoding = "async";
    return image;
  }

  function percent(value) { return (100 * value).toFixed(2) + "%"; }

  function placed(className, box) {
    var element = make("div", className);
    element.style.left = percent(box[0]);
    element.style.top = percent(box[1]);
    element.style.width = percent(box[2] - box[0]);
    element.style.height = percent(box[3] - box[1]);
    return element;
  }

  // An image with its scale bar drawn over it.
  function withScale(entry, source) {
    var frame = make("div", "frame");
    if (!source) {
      frame.appendChild(make("span", "lost", "cannot be opened"));
      return frame;
    }
    frame.appendChild(picture(source, entry.caption));
    entry.scales.forEach(function (scale) {
      if (!scale.at) return;
      var bar = make("div", "bar");
      bar.style.left = percent(scale.at[0]);
      bar.style.width = percent(scale.at[1] - scale.at[0]);
      bar.style.top = percent(scale.at[2]);
      bar.appendChild(make("span", "", scale.text));
      frame.appendChild(bar);
    });
    return frame;
  }

  function chips(entry) {
    var line = make("div", "chips");
    line.appendChild(make("span", "chip label", entry.label || "no label"));
    if (entry.side) line.appendChild(make("span", "chip", entry.side));
    if (entry.technique) line.appendChild(make("span", "chip", entry.technique));
    if (entry.conflict) line.appendChild(make("span", "chip warn", "conflict"));
    if (entry.twins.length) line.appendChild(make("span", "chip", entry.twins.length + " alike"));
    return line;
  }

  function place(entry) {
    var part = [entry.figure, entry.panel && "(" + entry.panel + ")"].filter(Boolean).join(" ");
    return [entry.paper, entry.page !== null && "p. " + entry.page, part].filter(Boolean).join(", ");
  }

  function card(entry) {
    var element = make("button", "card");
    element.type = "button";
    element.dataset.sha = entry.sha;
    var holder = make("div", "picture");
    var frame = withScale(entry, entry.thumb);
    var scale = Math.min(THUMB_WIDTH / entry.width, THUMB_HEIGHT / entry.height);
    frame.style.width = Math.max(1, scale * entry.width) + "px";  // before the picture is there
    frame.style.height = Math.max(1, scale * entry.height) + "px";
    holder.appendChild(frame);
    element.appendChild(holder);
    element.appendChild(chips(entry));
    element.appendChild(make("div", "where", place(entry)));
    element.appendChild(make("div", "words", entry.caption));
    element.addEventListener("click", function () { go({ image: entry.sha }); });
    return element;
  }

  function layOut() {
    var grid = byId("grid");
    var columns = Math.max(1, Math.floor(grid.clientWidth / CARD_WIDTH));
    var rows = Math.ceil(shown.length / columns);
    grid.style.height = rows * ROW_HEIGHT + "px";
    var top = Math.max(0, window.scrollY - grid.offsetTop);
    var range = Filter.inSight(shown.length, columns, ROW_HEIGHT, top, window.innerHeight);
    var cards = document.createDocumentFragment();
    for (var number = range[0]; number < range[1]; number += 1) {
      var element = card(entries[shown[number]]);
      element.style.left = (number % columns) * CARD_WIDTH + "px";
      element.style.top = Math.floor(number / columns) * ROW_HEIGHT + "px";
      cards.appendChild(element);
    }
    grid.replaceChildren(cards);
  }

  function fact(list, name, value) {
    if (value === null || value === undefined || value === "") return;
    list.appendChild(make("dt", "", name));
    list.appendChild(make("dd", "", value));
  }

  function pageView(entry) {
    var section = make("section");
    section.appendChild(make("h3", "", "On its page"));
    if (!entry.pageImage) {
      section.appendChild(make("p", "note", entry.pageNote));
      return section;
    }
    var frame = make("div", "frame page");
    frame.appendChild(picture(entry.pageImage, "page " + entry.page));
    if (entry.figureBox) frame.appendChild(placed("box figure-box", entry.figureBox));
    if (entry.panelBox) frame.appendChild(placed("box panel-box", entry.panelBox));
    section.appendChild(frame);
    return section;
  }

  function twinView(entry) {
    var section = make("section");
    section.appendChild(make("h3", "", "Near-duplicates"));
    var row = make("div", "twins");
    [entry].concat(entry.twins.map(function (position) { return entries[position]; }).filter(Boolean))
      .forEach(function (one) {
        var twin = card(one);
        if (one === entry) twin.classList.add("self");
        row.appendChild(twin);
      });
    section.appendChild(row);
    return section;
  }

  function detail() {
    var aside = byId("detail");
    var entry = bySha.get(state.image);
    aside.hidden = !entry;
    if (!entry) return;
    var head = make("div", "bar-of-buttons");
    [["‹", -1], ["›", 1]].forEach(function (pair) {
      var button = make("button", "", pair[0]);
      button.type = "button";
      button.addEventListener("click", function () { step(pair[1]); });
      head.appendChild(button);
    });
    var close = make("button", "", "Close");
    close.type = "button";
    close.addEventListener("click", function () { go({ image: "" }); });
    head.appendChild(close);
    var facts = make("dl");
    fact(facts, "Caption", entry.caption);
    entry.record.forEach(function (pair) { fact(facts, pair[0], pair[1]); });
    fact(facts, "Label", (entry.label || "none") + (entry.labelSource ? ", from " + entry.labelSource : ""));
    fact(facts, "Said", entry.said.join(", "));
    fact(facts, "Scale", entry.scales.map(function (s) { return s.text + " (" + s.method + ")"; }).join(", "));
    fact(facts, "Splits", entry.splits.join(", "));
    fact(facts, "Paper", [place(entry), entry.title, entry.doi].filter(Boolean).join(" · "));
    fact(facts, "Also in", entry.places.join("; "));
    fact(facts, "Image", entry.width + " × " + entry.height + " px, " + entry.sha);
    fact(facts, "Panel", entry.ids.join(", "));
    entry.fixes.forEach(function (command) { fact(facts, "Correct", command); });
    entry.apart.forEach(function (command) { fact(facts, "Two pictures, both labels right", command); });
    var children = [head, chips(entry), withScale(entry, entry.view), facts, pageView(entry)];
    if (entry.twins.length) children.splice(3, 0, twinView(entry));
    aside.replaceChildren.apply(aside, children);
    aside.scrollTop = 0;
  }

  function step(by) {
    var at = shown.findIndex(function (position) { return entries[position].sha === state.image; });
    var next = shown[at + by];
    if (at >= 0 && next !== undefined) go({ image: entries[next].sha });
  }

  function go(change) {
    var hash = Filter.format(Object.assign({}, state, change));
    if (hash !== location.hash) location.hash = hash;
  }

  function fill() {
    Filter.choices.forEach(function (choice) {
      var select = byId(choice);
      var options = Filter.values(entries, choice);
      options.forEach(function (option) {
        var element = make("option", "", option[0] + " (" + option[1] + ")");
        element.value = option[0];
        select.appendChild(element);
      });
      select.parentElement.hidden = options.length < 2;
    });
  }

  function show() {
    Filter.choices.concat(["q"]).forEach(function (key) {
      if (byId(key).value !== (state[key] || "")) byId(key).value = state[key] || "";
    });
    ["conflict", "twins"].forEach(function (key) { byId(key).checked = Boolean(state[key]); });
    shown = Filter.select(entries, state);
    byId("count").textContent = shown.length + " of " + total + " images";
    layOut();
    detail();
  }

  function onHash() {
    var before = state;
    state = Filter.parse(location.hash);
    var sameGrid = Filter.format(Object.assign({}, before, { image: "" })) ===
      Filter.format(Object.assign({}, state, { image: "" }));
    if (sameGrid) detail(); else { window.scrollTo(0, 0); show(); }
  }

  function start() {
    ready = true;
    fill();
    Filter.choices.forEach(function (key) {
      byId(key).addEventListener("change", function () { go({ [key]: byId(key).value, image: "" }); });
    });
    ["conflict", "twins"].forEach(function (key) {
      byId(key).addEventListener("change", function () { go({ [key]: byId(key).checked ? "1" : "", image: "" }); });
    });
    var waiting = 0;
    byId("q").addEventListener("input", function () {
      clearTimeout(waiting);
      waiting = setTimeout(function () { go({ q: byId("q").value, image: "" }); }, 150);
    });
    window.addEventListener("hashchange", onHash);
    var drawn = false;
    var later = function () {
      if (drawn) return;
      drawn = true;
      requestAnimationFrame(function () { drawn = false; layOut(); });
    };
    window.addEventListener("scroll", later, { passive: true });
    window.addEventListener("resize", later);
    document.addEventListener("keydown", function (event) {
      if (!state.image || event.target.tagName === "INPUT") return;
      if (event.key === "Escape") go({ image: "" });
      if (event.key === "ArrowLeft") step(-1);
      if (event.key === "ArrowRight") step(1);
    });
    show();
  }

  // Called by each file of data, in order.
  function add(more) {
    more.forEach(function (entry) { entries.push(entry); bySha.set(entry.sha, entry); });
    byId("count").textContent = entries.length + " of " + total + " images read";
    if (!ready && entries.length >= total) start();
  }

  return { add: add };
})();
