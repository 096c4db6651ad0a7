/** Resolves when `check` holds, for what a server does without telling a client. */
export async function eventually (check: () => boolean): Promise<void> {
  while (!check()) await new Promise((resolve) => { setTimeout(resolve, 5) })
}
