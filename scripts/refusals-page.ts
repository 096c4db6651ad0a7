import { writeFile } from 'node:fs/promises'
import { refusalsPage } from './refusals-text.ts'

await writeFile(new URL('../docs/refusals.md', import.meta.url), refusalsPage())
