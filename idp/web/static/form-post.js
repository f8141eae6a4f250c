// Sends the answer to the relying party at once (form_post response mode). Without it, the button does the same.
"use strict";
document.querySelector("form[data-form-post]")?.submit();
