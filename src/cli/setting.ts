import { prepare, settings, type Environment } from '../settings/prepare.ts'

/**
 * A setting of the service with these variables, or its default. It is not checked, since a command needs only some.
 * @throws InvalidSettings if a file of a secret cannot be read
 */
export function setting (env: Environment, name: string): string {
  const byDefault = settings.find(([known]) => known === name)?.[1].default
  return String(prepare(env)[name] ?? byDefault ?? '')
}
