// What the card has in it instead of files beside it. http/card.py writes it when the card is asked for.

export const STYLE = "";
export const ICONS = "";
/** By language. @type {Record<string, Record<string, string>>} */
export const WORDS = {};
