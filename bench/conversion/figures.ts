/** One figure with its goal. */
export interface Figure { name: string, value: number, unit: string, limit?: number }

export function formatFigure ({ name, value, unit, limit }: Figure): string {
  const verdict = limit === undefined ? '' : `; goal: under ${limit} ${unit}, ${value < limit ? 'met' : 'MISSED'}`
  return `- ${name}: ${value.toFixed(value < 10 ? 1 : 0)} ${unit}${verdict}`
}

/** The median; of an even number of values the lower middle one. */
export function medianOf (values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] ?? NaN
}
