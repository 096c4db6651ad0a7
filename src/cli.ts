#!/usr/bin/env node
import { runCommand } from './cli/run-command.ts'

const code = await runCommand(process.argv.slice(2), { out: process.stdout, err: process.stderr, env: process.env })
// After a failure, a connection that hangs must not keep the process alive.
if (code !== 0) process.exit(code)
