import t from 'tap'
import { parseRedisUrl } from '../../src/bus/redis-address.ts'

t.test('One server', async (t) => {
  for (const url of ['redis://redis', 'redis://127.0.0.1:6380', 'rediss://user:p%40ss@[::1]:6380/0']) t.same(parseRedisUrl(url), { kind: 'server', url })
})

t.test('Sentinel', async (t) => {
  t.same(parseRedisUrl('redis+sentinel://one,two:26380/main'), {
    kind: 'sentinel', master: 'main', nodes: [{ host: 'one', port: 26379 }, { host: 'two', port: 26380 }], login: {}, sentinelLogin: {}, tls: false,
  })
  t.same(parseRedisUrl('rediss+sentinel://me:a%2Fb%40c@[::1]:1/my%20master?sentinel_username=you&sentinel_password=d%26e'), {
    kind: 'sentinel', master: 'my master', nodes: [{ host: '::1', port: 1 }], login: { username: 'me', password: 'a/b@c' }, sentinelLogin: { username: 'you', password: 'd&e' }, tls: true,
  })
})

t.test('Cluster', async (t) => {
  t.same(parseRedisUrl('rediss+cluster://:secret@one,two:7001/'), {
    kind: 'cluster', nodes: [{ host: 'one', port: 6379 }, { host: 'two', port: 7001 }], login: { password: 'secret' }, tls: true,
  })
})

t.test('Any other address is rejected', async (t) => {
  const wrong = [
    '', 'redis', 'redis://', 'redis://redis/main', 'redis://:p%zz@redis', 'http://redis', 'redis+sentinel://one', 'redis+sentinel://one/', 'redis+sentinel:///main', 'redis+sentinel://one,/main', 'redis+sentinel://one:0/main',
    'redis+sentinel://one:70000/main', 'redis+sentinel://one/main?password=x', 'redis+sentinel://one/main/more', 'redis+sentinel://:%zz@one/main', 'redis+cluster://one/0', 'redis+cluster://',
    'redis+cluster://one two', 'redis+other://one', 'redis+sentinel://a:b:c/main', 'redis+cluster://one?x=1',
  ]
  for (const url of wrong) t.equal(parseRedisUrl(url), undefined, JSON.stringify(url))
})
