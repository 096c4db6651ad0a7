import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Column, Outcome, Read, Scenario } from './scenarios/scenario.ts'
import type { ServerName } from './servers.ts'

/** What was measured, where and when. */
export interface Origin {
  date: string
  commit: string
  machine: string
  node: string
  quick: boolean
  repeat: number
  /** server name → its description and version */
  servers: Record<string, string>
}

/** The outcomes of one row: per server the median of its runs, or the reason why there is none. */
export interface RowResult {
  row: string
  servers: Array<{ server: ServerName, outcome?: Outcome, failure?: string }>
}

const RATIOS: readonly ServerName[] = ['floor', 'hocuspocus']

/**
 * One row as a Markdown table: a line per server with its figures, and the first figure's ratio to the floor and to
 * Hocuspocus; below it goals and notes.
 */
export function formatRow (scenario: Scenario, result: RowResult): string {
  const main = scenario.columns[0]
  const read: Read = (server, key) => result.servers.find((entry) => entry.server === server)?.outcome?.figures[key]
  const references = RATIOS.filter((name) => read(name, main.key) !== undefined)
  const lines = [
    ['', ...scenario.columns.map(({ label }) => label), ...references.map((name) => `x ${name}`)],
    ['---', ...scenario.columns.map(() => '---:'), ...references.map(() => '---:')],
  ]
  for (const { server, outcome, failure } of result.servers) {
    if (outcome === undefined) {
      lines.push([server, `failed: ${failure ?? ''}`])
      continue
    }
    const value = outcome.figures[main.key]
    const ratios = references.map((name) => {
      const reference = read(name, main.key)
      return value === undefined || reference === undefined ? '' : (value / reference).toFixed(2)
    })
    const figures = scenario.columns.map((column) => formatFigure(outcome.figures[column.key], column))
    lines.push([server, ...figures, ...ratios])
  }
  return [`### ${scenario.title}`, '', ...pad(lines), '', ...formatGoals(scenario, read), ...formatNotes(result), ''].join('\n')
}

function formatFigure (value: number | undefined, { digits }: Column): string {
  return value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits)
}

function formatGoals (scenario: Scenario, read: Read): string[] {
  if (read('ours', scenario.columns[0].key) === undefined) return []
  return scenario.goals.map(({ text, value, limit }) => {
    const measured = value(read)
    const verdict = measured === undefined ? 'not measured' : `${measured <= limit ? 'met' : 'MISSED'}: ${measured.toPrecision(3)}`
    return `- goal ${text}: ${verdict}`
  })
}

function formatNotes (result: RowResult): string[] {
  return result.servers.flatMap(({ server, outcome }) => outcome?.notes.map((note) => `- ${server}: ${note}`) ?? [])
}

/** Pads the columns of a table to equal width, so that it is readable in a terminal too. */
function pad (lines: string[][]): string[] {
  const rows = lines.filter((line) => line.length === lines[0]?.length)
  const widths = lines[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? []
  return lines.map((line) => `| ${line.map((cell, at) => at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)).join(' | ')} |`)
}

/** The lines above the tables. */
export function formatOrigin (origin: Origin): string {
  const kinds = Object.entries(origin.servers).map(([name, title]) => `- ${name}: ${title}`)
  const length = origin.quick ? ' Quick mode: too short to quote.' : ''
  return [`# Measured ${origin.date} at ${origin.commit}`, '', `${origin.machine}; Node ${origin.node}. Median of ${origin.repeat}.${length}`, '', ...kinds, ''].join('\n')
}

/** Writes all results as JSON and as Markdown. @returns path of the Markdown file */
export async function writeResults (
  folder: string,
  origin: Origin,
  results: RowResult[],
  tables: string[]
): Promise<string> {
  await mkdir(folder, { recursive: true })
  const name = join(folder, `${origin.date.slice(0, 16).replace(':', '')}-${origin.commit}`)
  await writeFile(`${name}.json`, JSON.stringify({ ...origin, results }, null, 2) + '\n')
  await writeFile(`${name}.md`, [formatOrigin(origin), ...tables].join('\n'))
  return `${name}.md`
}

/** The median of each figure over several runs of one server, with all notes, each once. */
export function medianOutcome (outcomes: Outcome[]): Outcome {
  const keys = [...new Set(outcomes.flatMap(({ figures }) => Object.keys(figures)))]
  const figures = Object.fromEntries(keys.map((key) => {
    const values = outcomes
      .map((outcome) => outcome.figures[key])
      .filter((value) => value !== undefined)
      .toSorted((a, b) => a - b)
    return [key, values[Math.floor((values.length - 1) / 2)]]
  }))
  return { figures, notes: [...new Set(outcomes.flatMap(({ notes }) => notes))] }
}
