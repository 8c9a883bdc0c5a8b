// Numbers as a page writes them, the same in every locale.

/** 0.4123 -> "41.2 %"; an exact zero reads "0 %", anything smaller than 0.1 % "<0.1 %". */
export function percent(probability) {
  if (probability === 0) return "0 %";
  return probability < 0.0005 ? "<0.1 %" : `${(100 * probability).toFixed(1)} %`;
}

/** 2048 -> "2,048", the same in every locale, as the book's text has it. */
export const integer = (number) => number.toLocaleString("en-US");

/** Three significant digits, no exponent, a real minus sign: "−0.0123", "4.10", "298,000". */
export function number(value) {
  const rounded = Number(value.toPrecision(3));
  if (rounded === 0) return "0";
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))));
  const text = Math.abs(rounded).toLocaleString("en-US",
    { minimumFractionDigits: Math.min(decimals, 20), maximumFractionDigits: Math.min(decimals, 20) });
  return rounded < 0 ? `−${text}` : text;
}

/** A number with a given count of decimals and a real minus sign: "−0.45". */
export function fixed(value, decimals) {
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}
