// Text as it is searched: lower case, without tones and vowel marks, đ as d, so that old and new tone
// placement fall together. The same as `search_key` of the core, which is not there before a tablet is.

export function folded(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase().replace(/\s+/g, " ").trim();
}
