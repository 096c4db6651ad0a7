import t from 'tap'
import { LocalExchange } from '../../src/bus/local-bus.ts'
import { busContract, openEar } from './contract.ts'

await t.test('Contract', async (t) => { await busContract(t, new LocalExchange().open) })

await t.test('A cut loses messages in both directions, and its end is reported', async (t) => {
  const exchange = new LocalExchange()
  const [a, b] = [await openEar(t, exchange.open), await openEar(t, exchange.open)]
  exchange.cut(b.bus.node)
  a.bus.send(b.bus.node, Buffer.from('lost'))
  b.bus.send(a.bus.node, Buffer.from('lost too'))
  exchange.restore(b.bus.node)
  a.bus.send(b.bus.node, Buffer.from('heard'))
  await b.hears(1)
  t.same(b.heard, [{ from: a.bus.node, text: 'heard' }])
  t.same(a.heard, [])
  t.equal(b.restored(), 1)
})
