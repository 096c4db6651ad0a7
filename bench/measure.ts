import { scenarios } from './scenarios/index.ts'
import type { Outcome } from './scenarios/scenario.ts'
import { describeServer, type ServerName } from './servers.ts'

/** Measures one row on one server, in a process of its own so that no figure depends on earlier measurements. */
export interface Assignment {
  row: string
  server: ServerName
  quick: boolean
  traces: string | undefined
  ours: string
  oursEnv: Record<string, string>
}

export type Answer = { outcome: Outcome } | { failure: string }

async function measure ({ row, server, ours, oursEnv, quick, traces }: Assignment): Promise<Answer> {
  const scenario = scenarios.find(({ name }) => name === row)
  const kind = describeServer(server, ours, oursEnv)
  if (scenario === undefined || typeof kind === 'string') return { failure: `There is no row ${row} for ${server}.` }
  try {
    return { outcome: await scenario.run({ kind, quick, traces }) }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
process.on('disconnect', () => process.exit(1))
// run.ts sends exactly one assignment and nothing else.
process.once('message', async (assignment: Assignment) => {
  const answer = await measure(assignment)
  process.send?.(answer, () => process.exit(0))
})
