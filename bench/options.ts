import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { scenarios } from './scenarios/index.ts'
import { serverNames, type ServerName } from './servers.ts'

/** The options of the command line. */
export interface Options {
  quick: boolean
  rows: string[]
  servers: ServerName[]
  repeat: number
  traces: string | undefined
  /** folder of the y-provider checkout to measure */
  ours: string
  /** additional settings for ours */
  oursEnv: Record<string, string>
  /** output folder; without it a quick run writes no files */
  results: string | undefined
}

export const usage = `bench/run.ts [--quick] [--only row,...] [--servers name,...] [--repeat n] [--traces folder] [--ours folder] [--env NAME=VALUE]... [--results folder]
rows:    ${scenarios.map(({ name }) => name).join(' ')}
servers: ${serverNames.join(' ')}`

/** @throws with a sentence for the user */
export function readOptions (args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      servers: { type: 'string', default: 'floor,y-websocket,hocuspocus,ours' },
      repeat: { type: 'string' },
      traces: { type: 'string' },
      ours: { type: 'string', default: resolve(import.meta.dirname, '..') },
      env: { type: 'string', multiple: true, default: [] },
      results: { type: 'string' },
    },
  })
  const names = scenarios.map(({ name }) => name)
  const rows = values.only?.split(',') ?? names
  for (const row of rows) if (!names.includes(row)) throw new Error(`There is no row named ${row}.`)
  const servers = values.servers.split(',').map((name) => {
    const known = serverNames.find((server) => server === name)
    if (known === undefined) throw new Error(`There is no server named ${name}.`)
    return known
  })
  const repeat = Number(values.repeat ?? 1)
  if (!Number.isInteger(repeat) || repeat < 1) throw new Error('--repeat takes a whole number from 1.')
  const oursEnv = Object.fromEntries(values.env.map((pair): [string, string] => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)]))
  const traces = values.traces === undefined ? undefined : resolve(values.traces)
  const results = values.results ?? (values.quick ? undefined : resolve(import.meta.dirname, 'results'))
  return { quick: values.quick, rows, servers, repeat, traces, ours: resolve(values.ours), oursEnv, results }
}
