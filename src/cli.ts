#!/usr/bin/env node
import { WrongCall } from './cli/command.ts'
import { console } from './cli/console.ts'
import { parseCall } from './cli/parse-call.ts'
import { reasonOf } from './cli/reason.ts'
import { usage, usageOf } from './cli/usage.ts'
import { version } from './settings/version.ts'

try {
  process.exitCode = await answer(process.argv.slice(2))
} catch (error) {
  if (error instanceof WrongCall) endWith(2, `${error.message}\n\n${usageFor(error.command)}`)
  else endWith(1, reasonOf(error))
}

/** @returns the exit code */
async function answer (args: readonly string[]): Promise<number> {
  const wish = parseCall(args)
  switch (wish.type) {
    case 'version':
      console.say(version)
      return 0
    case 'help':
      console.say(usageFor(wish.command))
      return 0
    case 'run':
      return await wish.command.run(wish.call) === 0 ? 0 : 1
  }
}

function usageFor (command: string | undefined): string {
  return command === undefined ? usage() : usageOf(command)
}

function endWith (code: number, message: string): never {
  console.tell(message)
  process.exit(code)
}
