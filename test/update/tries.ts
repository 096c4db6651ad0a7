/**
 * The number of examples that a property test tries. `Y_PROVIDER_RUNS=10` multiplies all of them for a long run.
 * @param count enough for every change
 */
export function tries (count: number): number {
  return Math.ceil(count * Number(process.env['Y_PROVIDER_RUNS'] ?? 1))
}
