/** BlockNote's named colours on a light page (its `COLORS_DEFAULT`). */
const themeColors: Record<string, { text: string, background: string }> = {
  gray: { text: '#9b9a97', background: '#ebeced' },
  brown: { text: '#64473a', background: '#e9e5e3' },
  red: { text: '#e03e3e', background: '#fbe4e4' },
  orange: { text: '#d9730d', background: '#f6e9d9' },
  yellow: { text: '#dfab01', background: '#fbf3db' },
  green: { text: '#4d6461', background: '#ddedea' },
  blue: { text: '#0b6e99', background: '#ddebf1' },
  purple: { text: '#6940a5', background: '#eae4f2' },
  pink: { text: '#ad1a72', background: '#f4dfeb' },
}

/** A colour that is safe in a style attribute: a name, a hex value or one of CSS's colour functions. */
const cssColor = /^(?:[a-z]{3,30}|#[0-9a-f]{3,8}|(?:rgb|hsl)a?\([0-9.,%/ deg]{1,60}\))$/i

/** The CSS value of a colour prop or mark; undefined if none is safe to write. */
export function cssColorOf (value: string, use: 'text' | 'background'): string | undefined {
  if (Object.hasOwn(themeColors, value)) return themeColors[value]?.[use]
  return cssColor.test(value) ? value : undefined
}
