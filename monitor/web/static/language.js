// The reader's language.

import { get } from "./api.js";
import { LANGUAGES, useWords } from "./words.js";

/** Take the catalogue of the language that was chosen, or that the browser asks for. */
export async function loadWords() {
  const asked = localStorage.getItem("language") ?? navigator.language.slice(0, 2);
  const chosen = asked in LANGUAGES ? asked : "en";
  useWords(chosen, await get(`words/${chosen}.json`));
  document.documentElement.lang = chosen;
}
