import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.ts'
import { InvalidSettings } from './settings/invalid-settings.ts'

/** Prints one line for the operator and exits. For failures before the log exists, and for those that are no bug. */
function refuseToStart (line: string): never {
  // Messages about a file or module can have several lines.
  process.stderr.write(line.replace(/\s+/g, ' ').trim() + '\n')
  process.exit(1)
}

/** Errors that JavaScript itself throws: bugs, which need their stack. */
const bugs = [TypeError, ReferenceError, RangeError, SyntaxError]

/**
 * The kernel's signals for a crash of native code. With a listener, the process would run the faulty instruction again
 * and again; without one it dies at once, and its supervisor starts a new process.
 */
const crashes = ['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGABRT', 'SIGTRAP'] as const

const app = await buildApp().catch((error: unknown) => {
  if (!(error instanceof Error) || bugs.some((bug) => error instanceof bug)) throw error
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  refuseToStart(error instanceof InvalidSettings ? error.message : `Cannot start: ${error.message}${cause}`)
})
const { HOST, PORT, SHUTDOWN_TIMEOUT_MS } = app.config

closeWithGrace({
  delay: SHUTDOWN_TIMEOUT_MS,
  skip: [...crashes],
  logger: app.log,
  onSecondSignal: (signal) => app.log.warn(`Received a second ${signal}; exiting at once`),
  onTimeout: (delay) => app.log.error(`Failed to stop within ${delay} ms; exiting anyway`),
}, async function stop ({ err, signal }) {
  if (err) app.log.fatal({ err }, 'Unexpected error; stopping')
  else app.log.info(signal === undefined ? 'Stopping' : `Received ${signal}; stopping`)
  await app.close()
  app.log.info('Stopped')
})

try {
  await app.listen({ host: HOST, port: PORT })
} catch (error) {
  // Node's errors of `listen` have a code.
  const { code } = error as NodeJS.ErrnoException
  const reasons: Record<string, string> = {
    EADDRINUSE: 'another program already listens there',
    EACCES: 'this user is not allowed to listen there',
    EADDRNOTAVAIL: 'this machine does not have that address',
    EINVAL: 'it is impossible to listen on this address',
    ENOTFOUND: 'there is no such host',
    EAI_AGAIN: 'the name of the host cannot be resolved now',
  }
  if (code === undefined) throw error
  const reason = reasons[code] ?? code
  await app.close()
  refuseToStart(`Cannot listen on HOST ${HOST}, PORT ${PORT}: ${reason}`)
}
