// Which images are shown, and in which order. Knows nothing of the page, so it is tested on its own.
"use strict";

var Filter = (function () {
  // What can be chosen, each with the field that holds it: a value, or a list of them.
  var CHOICES = { label: "label", side: "side", split: "splits", technique: "technique", paper: "paper" };
  var KEYS = Object.keys(CHOICES).concat(["conflict", "twins", "q", "image"]);

  // "#label=a&q=b%20c" -> {label: "a", q: "b c"}; what cannot be read is left out.
  function parse(hash) {
    var state = {};
    hash.replace(/^#/, "").split("&").forEach(function (pair) {
      var at = pair.indexOf("=");
      var key = pair.slice(0, at);
      if (at < 0 || KEYS.indexOf(key) < 0) return;
      try {
        state[key] = decodeURIComponent(pair.slice(at + 1));
      } catch (error) {
        return;
      }
    });
    return state;
  }

  function format(state) {
    var parts = KEYS.filter(function (key) { return state[key]; }).map(function (key) {
      return key + "=" + encodeURIComponent(state[key]);
    });
    return "#" + parts.join("&");
  }

  function haystack(entry) {
    if (entry.text === undefined) {
      var record = entry.record.map(function (pair) { return pair[1]; });
      entry.text = [entry.caption, entry.paper, entry.doi, entry.title, entry.figure, entry.technique, entry.sha]
        .concat(record, entry.said, entry.ids).join("\n").toLowerCase();
    }
    return entry.text;
  }

  // What an entry holds of a choice, "none" for nothing.
  function held(entry, choice) {
    var found = [].concat(entry[CHOICES[choice]] || []);
    return found.length ? found : ["none"];
  }

  function matches(entry, state) {
    for (var choice in CHOICES) {
      if (state[choice] && held(entry, choice).indexOf(state[choice]) < 0) return false;
    }
    if (state.conflict && !entry.conflict) return false;
    if (state.twins && !entry.twins.length) return false;
    var words = (state.q || "").toLowerCase().split(/\s+/).filter(Boolean);
    return words.every(function (word) { return haystack(entry).indexOf(word) >= 0; });
  }

  // Positions of the entries to show; where only near-duplicates are wanted, those of one picture side by side.
  function select(entries, state) {
    var found = [];
    entries.forEach(function (entry, position) {
      if (matches(entry, state)) found.push(position);
    });
    if (state.twins) {
      found.sort(function (a, b) { return entries[a].family - entries[b].family || a - b; });
    }
    return found;
  }

  // First and last-plus-one of `count` cards that lie in sight or near it.
  function inSight(count, columns, rowHeight, top, height) {
    var first = Math.max(0, Math.floor(top / rowHeight) - 2) * columns;
    var last = (Math.ceil((top + height) / rowHeight) + 2) * columns;
    return [Math.min(first, count), Math.max(0, Math.min(last, count))];
  }

  // What there is of a choice, each with its number, the most frequent first.
  function values(entries, choice) {
    var counts = new Map();
    entries.forEach(function (entry) {
      held(entry, choice).forEach(function (value) { counts.set(value, (counts.get(value) || 0) + 1); });
    });
    return Array.from(counts).sort(function (a, b) { return b[1] - a[1] || (a[0] < b[0] ? -1 : 1); });
  }

  return {
    choices: Object.keys(CHOICES), parse: parse, format: format, matches: matches, select: select, inSight: inSight,
    values: values
  };
})();
