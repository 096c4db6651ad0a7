import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.ts'
import { InvalidSettings } from './settings/invalid-settings.ts'

/** One line for the operator, and the end. Used before there is a log, and for what is no fault of the program. */
function refuseToStart (line: string): never {
  // What others say of a file or module may have several lines.
  process.stderr.write(line.replace(/\s+/g, ' ').trim() + '\n')
  process.exit(1)
}

/** Errors that JavaScript itself throws: faults of the program, whose stack is wanted. */
const faults = [TypeError, ReferenceError, RangeError, SyntaxError]

/**
 * The kernel's word that native code has gone wrong. Listening to these would not end the process but run the faulty instruction
 * again, for ever; without a listener it dies at once, as a killed one does, and whoever supervises it starts a new one.
 */
const crashes = ['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT', 'SIGTRAP'] as const

const app = await buildApp().catch((error: unknown) => {
  if (!(error instanceof Error) || faults.some((fault) => error instanceof fault)) throw error
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  refuseToStart(error instanceof InvalidSettings ? error.message : `Cannot start: ${error.message}${cause}`)
})
const { HOST, PORT, SHUTDOWN_TIMEOUT_MS } = app.config

closeWithGrace({
  delay: SHUTDOWN_TIMEOUT_MS,
  skip: [...crashes],
  logger: app.log,
  onSecondSignal: (signal) => app.log.warn(`second ${signal}: ending at once`),
  onTimeout: (delay) => app.log.error(`not stopped after ${delay} ms: ending anyway`),
}, async function stop ({ err, signal }) {
  if (err) app.log.fatal({ err }, 'unexpected error: stopping')
  else app.log.info(`${signal ?? 'nothing left to do'}: stopping`)
  await app.close()
  app.log.info('stopped')
})

try {
  await app.listen({ host: HOST, port: PORT })
} catch (error) {
  // Node's errors of listen carry a code.
  const { code } = error as NodeJS.ErrnoException
  const reasons: Record<string, string> = {
    EADDRINUSE: 'another program listens there already',
    EACCES: 'this user may not listen there',
    EADDRNOTAVAIL: 'this machine does not have that address',
    EINVAL: 'it is not possible to listen on this address',
    ENOTFOUND: 'there is no such host',
    EAI_AGAIN: 'the name of the host cannot be resolved now',
  }
  if (code === undefined) throw error
  const reason = reasons[code] ?? code
  await app.close()
  refuseToStart(`Cannot listen on HOST ${HOST}, PORT ${PORT}: ${reason}`)
}
