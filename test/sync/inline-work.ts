import runDocumentTask, { type DocumentTask } from '../../src/workers/document-tasks.ts'
import { pack } from '../../src/workers/packed-updates.ts'
import type { CompactResult, DocumentWork, ScanResult } from '../../src/sync/document-work.ts'
import { Gate } from './gate.ts'

/** What the workers do, done here, behind gates. */
export class InlineWork implements DocumentWork {
  readonly scans = new Gate()
  readonly others = new Gate()
  differences = 0

  async scan (update: Uint8Array): Promise<ScanResult> {
    const copy = new Uint8Array(update)
    await this.scans.pass()
    // Each task answers with the result that its type names.
    return run({ type: 'scan', updates: pack([copy]) }) as ScanResult
  }

  async know (known: Uint8Array | undefined, updates: readonly Uint8Array[]): Promise<Uint8Array> {
    await this.others.pass()
    return run({ type: 'know', known, updates: pack(updates) }) as Uint8Array // as above
  }

  async compact (updates: readonly Uint8Array[], maxPieceBytes: number): Promise<CompactResult> {
    await this.others.pass()
    return run({ type: 'compact', updates: pack(updates), maxPieceBytes }) as CompactResult // as above
  }

  async difference (updates: readonly Uint8Array[], stateVector: Uint8Array, maxPieceBytes: number): Promise<readonly Uint8Array[]> {
    this.differences++
    await this.others.pass()
    return run({ type: 'difference', updates: pack(updates), stateVector, maxPieceBytes }) as readonly Uint8Array[] // as above
  }
}

const run = (task: DocumentTask): unknown => runDocumentTask(task)
