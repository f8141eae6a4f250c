// Goes on as soon as every service's frame has loaded, and after two seconds in any case: without this script
// the page itself goes on, but only once the slowest frame has loaded (Front-Channel Logout 3).
(function () {
  "use strict";

  var isGone = false;

  function goOn() {
    var link = document.querySelector("[data-continue] a");
    if (link === null || isGone) {
      return;
    }
    isGone = true;
    window.location.replace(link.href);
  }

  // The address may hold an ID token: it does not stay in sight, and a reload asks for nothing twice.
  window.history.replaceState(null, "", "/signed-out");
  window.addEventListener("load", goOn);
  window.setTimeout(goOn, 2000);
})();
