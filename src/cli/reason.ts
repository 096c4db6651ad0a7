import { PostgresError, postgresFailure } from '../store/postgres/postgres-failure.ts'

/**
 * The reason why a command failed, for its user. PostgreSQL's own message is left out, because it can contain values.
 */
export function reasonOf (error: unknown): string {
  if (error instanceof PostgresError) return `PostgreSQL failed: ${postgresFailure(error.cause)}`
  return error instanceof Error ? error.message : String(error)
}
