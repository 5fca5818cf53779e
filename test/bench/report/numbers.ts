/** Formats figures as text. */

/** Three significant digits, and no more decimals than that takes: `0.62`, `12.1`, `4,935`. */
export function figure(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** A ratio: `1.21 ×`. */
export function times(ratio: number): string {
  return `${ratio.toFixed(2)} ×`;
}
