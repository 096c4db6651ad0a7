import { writeFile } from 'node:fs/promises'
import { envExample, settingsPage } from './settings-text.ts'

await writeFile(new URL('../.env.example', import.meta.url), envExample())
await writeFile(new URL('../docs/settings.md', import.meta.url), settingsPage())
