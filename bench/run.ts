import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Answer, Assignment } from './measure.ts'
import { readOptions, usage, type Options } from './options.ts'
import { describeCommit, describeMachine } from './origin.ts'
import { formatOrigin, formatRow, medianOutcome, writeResults, type Origin, type RowResult } from './report.ts'
import { scenarios } from './scenarios/index.ts'
import type { Outcome, Scenario } from './scenarios/scenario.ts'
import { describeServer, type ServerName } from './servers.ts'

/** How long a measurement can take to end its server after its time is over. */
const stopGraceSeconds = 5

let options: Options
try {
  options = readOptions(process.argv.slice(2))
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  process.exit(2)
}

/** The measurement in progress. It ends with this process: its channel closes, and that of its server too. */
let running: ChildProcess | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    running?.kill('SIGTERM')
    process.exit(130)
  })
}

const titles = describeServers(options)
const servers = options.servers.filter((name) => titles[name] !== undefined)
const origin = describeOrigin(options, titles)
console.log(formatOrigin(origin))

const results: RowResult[] = []
const tables: string[] = []
for (const scenario of scenarios.filter(({ name }) => options.rows.includes(name))) {
  const result = await measureRow(scenario, servers.filter((name) => !scenario.without.includes(name)))
  const table = formatRow(scenario, result)
  results.push(result)
  tables.push(table)
  console.log(table)
}
if (options.results !== undefined) console.log(`Written to ${await writeResults(options.results, origin, results, tables)}`)

/** Measures a row on all servers in turns, so that a disturbance of the machine affects all alike. */
async function measureRow (scenario: Scenario, names: ServerName[]): Promise<RowResult> {
  const runs = new Map<ServerName, Outcome[]>(names.map((name) => [name, []]))
  const failures = new Map<ServerName, string>()
  for (let round = 0; round < (scenario.once === true ? 1 : options.repeat); round++) {
    for (const name of names.filter((each) => !failures.has(each))) {
      const answer = await assign(scenario, name)
      if ('failure' in answer) failures.set(name, answer.failure)
      else runs.get(name)?.push(answer.outcome)
    }
  }
  return {
    row: scenario.name,
    servers: names.map((server) => {
      const failure = failures.get(server)
      return failure === undefined ? { server, outcome: medianOutcome(runs.get(server) ?? []) } : { server, failure }
    }),
  }
}

/** Measures one row on one server in a new process, for a bounded time. */
async function assign (scenario: Scenario, server: ServerName): Promise<Answer> {
  const { quick, traces, ours, oursEnv } = options
  const assignment: Assignment = { row: scenario.name, server, quick, traces, ours, oursEnv }
  const child = fork(join(import.meta.dirname, 'measure.ts'), [], { execArgv: ['--import', 'tsx'] })
  running = child
  const exit = once(child, 'exit')
  const timers = [
    setTimeout(() => child.kill('SIGTERM'), scenario.timeoutSeconds * 1000),
    setTimeout(() => child.kill('SIGKILL'), (scenario.timeoutSeconds + stopGraceSeconds) * 1000),
  ]
  let answer: Answer = { failure: `no figures after ${scenario.timeoutSeconds} s` }
  // measure.ts sends exactly one answer and nothing else.
  child.once('message', (message) => { answer = message as Answer })
  child.send(assignment)
  await exit
  for (const timer of timers) clearTimeout(timer)
  return answer
}

/** Prints which servers will be measured, and why the rest will not. */
function describeServers ({ servers, ours, oursEnv }: Options): Partial<Record<ServerName, string>> {
  const titles: Partial<Record<ServerName, string>> = {}
  for (const name of servers) {
    const kind = describeServer(name, ours, oursEnv)
    if (typeof kind === 'string') console.log(`${name} is left out: ${kind}`)
    else titles[name] = kind.title
  }
  return titles
}

function describeOrigin ({ ours, quick, repeat }: Options, titles: Partial<Record<ServerName, string>>): Origin {
  return {
    date: new Date().toISOString(),
    commit: describeCommit(ours),
    machine: describeMachine(),
    node: process.version,
    quick,
    repeat,
    servers: titles,
  }
}
