/**
 * Conversion: its speed next to @blocknote/server-util in one process, the time until it is ready, and its cost for
 * the other users of a running service.
 * `npm run bench:convert -- [--quick] [--only ratios,ready,service] [--results FOLDER]`
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Figure, formatFigure } from './conversion/figures.ts'
import { measureRatios, type Ratio } from './conversion/ratios.ts'
import { measureReady } from './conversion/ready.ts'
import { measureService } from './conversion/service.ts'
import { describeCommit, describeMachine } from './origin.ts'

const parts = ['ratios', 'ready', 'service']
const { values: { quick, only, results } } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, results: { type: 'string' } },
})
const wanted = only?.split(',') ?? parts
const unknown = wanted.find((name) => !parts.includes(name))
if (unknown !== undefined) {
  console.error(`There is no part named ${unknown}; there are ${parts.join(', ')}.`)
  process.exit(2)
}

const ours = resolve(import.meta.dirname, '..')
const origin = {
  date: new Date().toISOString(),
  commit: describeCommit(ours),
  machine: describeMachine(),
  node: process.version,
  quick,
}
const lines: string[] = []
const print = (line: string) => {
  console.log(line)
  lines.push(line)
}

print(`# Conversion, measured ${origin.date} at ${origin.commit}\n\n${origin.machine}; Node ${origin.node}.${quick ? ' Quick mode: too short to quote.' : ''}`)

const ratios: Ratio[] = []
if (wanted.includes('ratios')) {
  print('\n## Beside @blocknote/server-util, in one process, medians\n')
  print('| direction | size | ours ms | BlockNote ms | ratio | goal |\n| --- | ---: | ---: | ---: | ---: | --- |')
  for await (const ratio of measureRatios(quick ? 100 : 1500)) {
    ratios.push(ratio)
    print(formatRatio(ratio))
  }
}

const figures: Figure[] = []
const measured = (found: readonly Figure[]) => {
  figures.push(...found)
  for (const figure of found) print(formatFigure(figure))
}
if (wanted.includes('ready')) {
  print('\n## Ready\n')
  measured(measureReady(join(ours, 'dist'), quick ? 1 : 5))
}
if (wanted.includes('service')) {
  print('\n## In a running service\n')
  measured(await measureService(ours))
}

const folder = results ?? (quick ? undefined : join(import.meta.dirname, 'results'))
if (folder !== undefined) {
  const name = join(folder, `${origin.date.slice(0, 16).replace(':', '')}-${origin.commit}-convert`)
  await mkdir(folder, { recursive: true })
  await writeFile(`${name}.json`, JSON.stringify({ ...origin, ratios, figures }, null, 2) + '\n')
  await writeFile(`${name}.md`, lines.join('\n') + '\n')
  console.log(`\nWritten to ${name}.md`)
}
// BlockNote's editor keeps timers.
process.exit(0)

function formatRatio ({ direction, kilobytes, oursMs, blockNoteMs, goal }: Ratio): string {
  const ratio = blockNoteMs / oursMs
  const verdict = goal === undefined ? '' : `×${goal}: ${ratio >= goal ? 'met' : 'MISSED'}`
  return `| ${direction} | ${kilobytes} KB | ${oursMs.toFixed(3)} | ${blockNoteMs.toFixed(2)} | ×${ratio.toFixed(1)} | ${verdict} |`
}
