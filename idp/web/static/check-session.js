// Answers a service's page whether the session it knows is still the browser's (Session Management 3.2, 4.2).
// SHA-256 stands here by itself: the browser's own is asynchronous, and absent from pages that are not secure.
(function () {
  "use strict";

  var name = document.documentElement.getAttribute("data-cookie");
  var SESSION_STATE = /^[0-9a-f]{64}\.([\x21-\x7e]+)$/;

  function browserState() {
    var pairs = document.cookie.split("; ");
    for (var i = 0; i < pairs.length; i += 1) {
      if (pairs[i].indexOf(name + "=") === 0) {
        return pairs[i].slice(name.length + 1);
      }
    }
    return null;
  }

  // FIPS 180-4 section 4.2.2: fractional parts of square and cube roots of the first primes.
  function constants(exponent, count) {
    var found = [];
    for (var candidate = 2; found.length < count; candidate += 1) {
      var isPrime = true;
      for (var factor = 2; factor * factor <= candidate; factor += 1) {
        if (candidate % factor === 0) {
          isPrime = false;
          break;
        }
      }
      if (isPrime) {
        var root = Math.pow(candidate, exponent);
        found.push(((root - Math.floor(root)) * 4294967296) | 0);
      }
    }
    return found;
  }

  var START = constants(1 / 2, 8);
  var ROUND = constants(1 / 3, 64);

  function rotated(word, by) {
    return (word >>> by) | (word << (32 - by));
  }

  // FIPS 180-4 section 5.1.1: the message, one bit, zeros, its length.
  function padded(text) {
    var bytes = unescape(encodeURIComponent(text));
    var words = [];
    for (var i = 0; i < bytes.length; i += 1) {
      words[i >> 2] |= bytes.charCodeAt(i) << (24 - 8 * (i % 4));
    }
    words[bytes.length >> 2] |= 0x80 << (24 - 8 * (bytes.length % 4));
    words[(((bytes.length + 8) >> 6) << 4) + 15] = bytes.length * 8;
    return words;
  }

  // FIPS 180-4 section 6.2.2.
  function compressed(hash, words, from) {
    var schedule = [];
    var state = hash.slice();
    for (var i = 0; i < 64; i += 1) {
      if (i < 16) {
        schedule[i] = words[from + i] | 0;
      } else {
        var before = schedule[i - 15];
        var last = schedule[i - 2];
        var small0 = rotated(before, 7) ^ rotated(before, 18) ^ (before >>> 3);
        var small1 = rotated(last, 17) ^ rotated(last, 19) ^ (last >>> 10);
        schedule[i] = (schedule[i - 16] + small0 + schedule[i - 7] + small1) | 0;
      }
      var e = state[4];
      var a = state[0];
      var big1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
      var choice = (e & state[5]) ^ (~e & state[6]);
      var first = (state[7] + big1 + choice + ROUND[i] + schedule[i]) | 0;
      var big0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
      var majority = (a & state[1]) ^ (a & state[2]) ^ (state[1] & state[2]);
      state = [(first + big0 + majority) | 0, a, state[1], state[2],
               (state[3] + first) | 0, e, state[5], state[6]];
    }
    for (var j = 0; j < 8; j += 1) {
      hash[j] = (hash[j] + state[j]) | 0;
    }
  }

  function sha256(text) {
    var words = padded(text);
    var hash = START.slice();
    for (var from = 0; from < words.length; from += 16) {
      compressed(hash, words, from);
    }
    return hash.map(function (word) {
      return ("00000000" + (word >>> 0).toString(16)).slice(-8);
    }).join("");
  }

  function answerTo(message, origin) {
    // A client_id may hold spaces, a session_state may not.
    var space = typeof message === "string" ? message.lastIndexOf(" ") : -1;
    var given = space > 0 ? SESSION_STATE.exec(message.slice(space + 1)) : null;
    if (given === null) {
      return "error";
    }
    var state = browserState();
    if (state === null) {
      // A browser that keeps cookies from frames says nothing of the session: no reason to sign anybody out.
      return navigator.cookieEnabled === false ? "error" : "changed";
    }
    var parts = [message.slice(0, space), origin, state, given[1]];
    return sha256(parts.join(" ")) + "." + given[1] === given[0] ? "unchanged" : "changed";
  }

  window.addEventListener("message", function (event) {
    // A page without an origin of its own can't be answered to nobody else.
    if (event.source && event.source !== window && event.origin && event.origin !== "null") {
      event.source.postMessage(answerTo(event.data, event.origin), event.origin);
    }
  });
})();
