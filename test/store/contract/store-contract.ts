import type { Test } from 'tap'
import { appendContract } from './append.ts'
import { appendIfContract } from './append-if.ts'
import { authorsContract } from './authors.ts'
import { compactContract } from './compact.ts'
import { createContract } from './create.ts'
import { damageContract } from './damage.ts'
import { historyContract } from './history.ts'
import { listContract } from './list.ts'
import { loadContract } from './load.ts'
import { removeContract } from './remove.ts'
import { setAsideContract } from './set-aside.ts'
import { staleContract } from './stale.ts'
import { tombstoneContract } from './tombstone.ts'
import type { OpenSubject } from './subject.ts'

/** All rules of a store. Their names say which one is broken. */
export async function storeContract (t: Test, open: OpenSubject): Promise<void> {
  const rules = [
    appendContract,
    createContract,
    appendIfContract,
    loadContract,
    compactContract,
    setAsideContract,
    authorsContract,
    removeContract,
    tombstoneContract,
    staleContract,
    listContract,
    damageContract,
    historyContract,
  ]
  for (const rule of rules) await rule(t, open)
}
