import t from 'tap'
import { Epochs } from '../../src/access/epochs.ts'
import { invalidTicket, type Allowed, type Verdict } from '../../src/access/verdict.ts'
import { Rechecks } from '../../src/sessions/rechecks.ts'
import { Engine, newLog, turn } from '../sync/engine.ts'

for (const isRenewed of [false, true]) {
  t.test(`A recheck that finds access denied ${isRenewed ? 'changes nothing after a renewal' : 'ends the connection'}`, async (t) => {
    const engine = new Engine()
    const { now } = engine
    const rechecks = new Rechecks({ everyMs: 1, epochs: new Epochs(), logger: newLog(), now, onRights: () => {} })
    t.teardown(() => { rechecks.stop() })
    const peer = engine.join()
    let say = (_verdict: Verdict): void => {}
    const recheck: Allowed['recheck'] = () => new Promise((resolve) => { say = resolve })
    const verdict: Allowed = { allowed: true, canEdit: true, epoch: 0, recheck }
    rechecks.add(peer.connection, verdict)
    engine.pass(1)
    rechecks.look()
    if (isRenewed) rechecks.replace(peer.connection, { ...verdict, expiresAt: Date.now() + 60_000 })
    say(invalidTicket('The ticket has expired.'))
    await turn()
    t.equal(peer.closed?.code, isRenewed ? undefined : 4401)
  })
}
