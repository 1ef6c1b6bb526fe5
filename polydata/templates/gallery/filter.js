// Which images are shown, and in which order. Knows nothing of the page, so it is tested on its own.
"use strict";

var Filter = (function () {
  var KEYS = ["label", "side", "technique", "paper", "conflict", "twins", "q", "image"];

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

  function matches(entry, state) {
    if (state.label && (entry.label || "none") !== state.label) return false;
    if (state.side && entry.side !== state.side) return false;
    if (state.technique && (entry.technique || "none") !== state.technique) return false;
    if (state.paper && entry.paper !== state.paper) return false;
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

  // Values of a field, each with its number, the most frequent first.
  function values(entries, key) {
    var counts = new Map();
    entries.forEach(function (entry) {
      var value = entry[key] || "none";
      counts.set(value, (counts.get(value) || 0) + 1);
    });
    return Array.from(counts).sort(function (a, b) { return b[1] - a[1] || (a[0] < b[0] ? -1 : 1); });
  }

  return { parse: parse, format: format, matches: matches, select: select, inSight: inSight, values: values };
})();
