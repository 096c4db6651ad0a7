import { PostgresError, postgresFailure } from '../store/postgres-failure.ts'

/** Why something failed, for whoever has called the command. What PostgreSQL itself says is not repeated: it may hold values. */
export function reasonOf (error: unknown): string {
  if (error instanceof PostgresError) return `PostgreSQL has failed: ${postgresFailure(error.cause)}`
  return error instanceof Error ? error.message : String(error)
}
