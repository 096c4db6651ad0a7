// Lets a worker thread run TypeScript sources in development and under tests. `node dist/` never loads this file.
import { register } from 'tsx/esm/api'

register()
await import('./task-thread.ts')
