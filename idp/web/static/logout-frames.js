// The page goes on by itself once every service's frame has loaded (Front-Channel Logout 3): browsers start a
// refresh after that. This script goes on after two seconds in any case, so that a service that hangs holds nobody up.
(function () {
  "use strict";

  // The address may hold an ID token: it does not stay in sight, and a reload asks for nothing twice.
  window.history.replaceState(null, "", "/signed-out");
  window.setTimeout(function () {
    var link = document.querySelector("[data-continue] a");
    if (link !== null) {
      window.location.replace(link.href);
    }
  }, 2000);
})();
