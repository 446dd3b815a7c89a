/** Characters that look like a blank, or like nothing, and are none: web pages and word processors put them into what is copied. */

export function isUnusualBlank(unit: string): boolean {
  return /^[\p{Zs}\p{Cf}]$/u.test(unit) && unit !== ' ';
}

/** As Unicode names it: `U+00A0`. */
export function codePointOf(unit: string): string {
  return `U+${(unit.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
