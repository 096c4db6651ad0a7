/**
 * A strict parser of Prometheus' text format, version 0.0.4.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A metric with all its samples. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly samples: Sample[]
}

const types = ['counter', 'gauge', 'histogram', 'summary', 'untyped']
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)/y

/** @throws Error for anything that the format does not allow, with the line */
export function parseExposition (text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('The last line does not end')
  const families = new Map<string, Family>()
  const seen = new Set<string>()
  let help: { name: string, text: string } | undefined
  let family: Family | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (kind === 'HELP') help = { name, text: rest }
    else if (kind === 'TYPE') {
      if (help?.name !== name || families.has(name) || !types.includes(rest)) throw new Error(`Misplaced or wrong: ${line}`)
      family = { name, help: help.text, type: rest, samples: [] }
      families.set(name, family)
    } else {
      const sample = parseSample(line)
      const base = family?.type === 'histogram' ? sample.name.replace(/_(?:bucket|sum|count)$/, '') : sample.name
      if (family === undefined || base !== family.name) throw new Error(`Outside of its group: ${line}`)
      const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`
      if (seen.has(key)) throw new Error(`Twice: ${line}`)
      seen.add(key)
      family.samples.push(sample)
    }
  }
  for (const each of families.values()) check(each)
  return families
}

function parseSample (line: string): Sample {
  const [, name = '', pairs = '', value] = sampleLine.exec(line) ?? []
  if (value === undefined) throw new Error(`No sample: ${line}`)
  const labels: Record<string, string> = {}
  for (labelPair.lastIndex = 0; labelPair.lastIndex < pairs.length;) {
    const [, label = '', text = ''] = labelPair.exec(pairs) ?? []
    if (label === '' || label in labels) throw new Error(`Wrong labels: ${line}`)
    labels[label] = text
  }
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) }
}

function check ({ name, type, samples }: Family): void {
  if (type === 'counter' && samples.some(({ value }) => !(value >= 0))) throw new Error(`${name} is no counter`)
  if (type !== 'histogram') return
  const groups = new Map<string, Sample[]>()
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels
    const key = JSON.stringify(labels)
    groups.set(key, [...groups.get(key) ?? [], sample])
  }
  for (const group of groups.values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`).map(({ labels, value }) => ({ le: Number(labels['le']?.replace('Inf', 'Infinity')), value }))
    const rising = buckets.every(({ le, value }, i) => {
      const before = buckets[i - 1]
      return before === undefined || (le > before.le && value >= before.value)
    })
    const count = group.find((sample) => sample.name === `${name}_count`)?.value
    const last = buckets.at(-1)
    if (!rising || last?.le !== Infinity || last.value !== count || !group.some((sample) => sample.name === `${name}_sum`)) throw new Error(`${name} is no histogram`)
  }
}
