// Sends the answer to the relying party at once (form_post response mode). Without it, the button does the same.
// In the words of every engine: who comes through an old one has no other way on.
"use strict";
(function () {
  var form = document.querySelector("form[data-form-post]");
  if (form) {
    form.submit();
  }
})();
