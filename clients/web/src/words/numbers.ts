// Exact decimal text as the printed forms write it, in every language: whoever types what they read must get the
// same number. No figure passes through floating point.

/** Places that what a formula gives is shown with; the figure itself stays exact. */
const PLACES = 2;

/** `-1234.5` as `−1.234,5`. */
export function decimal(text: string): string {
  const [whole = "", places = ""] = text.replace("-", "").split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ".");
  return (text.startsWith("-") ? "−" : "") + grouped + (places ? `,${places}` : "");
}

/** To two places, half away from zero, as the core does for the grid. */
export function rounded(text: string): string {
  const [whole = "0", places = ""] = text.replace("-", "").split(".");
  if (places.length <= PLACES) return text;
  const up = (places[PLACES] ?? "0") >= "5" ? 1n : 0n;
  const digits = (BigInt(whole + places.slice(0, PLACES)) + up).toString().padStart(PLACES + 1, "0");
  const fraction = digits.slice(-PLACES).replace(/0+$/, "");
  const sign = text.startsWith("-") && /[1-9]/.test(digits) ? "-" : "";
  return sign + digits.slice(0, -PLACES) + (fraction ? `.${fraction}` : "");
}
