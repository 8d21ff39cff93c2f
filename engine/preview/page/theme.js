// Sets the remembered scheme before anything is painted; a classic script, because modules run after that.
// @ts-check
"use strict";
try {
  document.documentElement.dataset.theme = localStorage.getItem("mikebot.theme") ?? "system";
} catch {
  document.documentElement.dataset.theme = "system"; // Storage is turned off.
}
