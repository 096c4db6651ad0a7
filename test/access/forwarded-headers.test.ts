import t from 'tap'
import { readForwardedHeaders } from '../../src/access/forwarded-headers.ts'
import { readSessionCookie } from '../../src/access/session-cookie.ts'

const names = ['docs_sessionid', 'sessionid']

t.test('X-Can-Edit: absent or exactly True allows editing, any other value reading only', async (t) => {
  t.equal(readForwardedHeaders({}, names).canEdit, true)
  t.equal(readForwardedHeaders({ 'x-can-edit': 'True' }, names).canEdit, true)
  for (const value of ['', 'true', 'TRUE', '1', 'yes', 'False', 'True, True', 'None']) {
    t.equal(readForwardedHeaders({ 'x-can-edit': value }, names).canEdit, false, value)
  }
  t.equal(readForwardedHeaders({ 'x-can-edit': ['True', 'True'] }, names).canEdit, false, 'repeated')
})

t.test('The user and the session key are adopted; an empty one counts as missing', async (t) => {
  t.match(readForwardedHeaders({ 'x-user-id': 'u1', 'x-session-key': 's1', cookie: 'sessionid=other' }, names), { userId: 'u1', sessionKey: 's1' })
  t.match(readForwardedHeaders({ 'x-user-id': '', 'x-session-key': '' }, names), { userId: undefined, sessionKey: undefined })
  t.match(readForwardedHeaders({ cookie: 'sessionid=s2' }, names), { sessionKey: 's2' })
})

t.test('Access granted by a proxy is never rechecked', async (t) => {
  t.equal(readForwardedHeaders({}, names).recheck, undefined)
})

t.test('Session cookies are read as Django reads them', async (t) => {
  const cases: Array<[string | undefined, string | undefined]> = [
    [undefined, undefined],
    ['', undefined],
    ['csrftoken=x', undefined],
    ['sessionid=b; docs_sessionid=a', 'a'],
    ['docs_sessionid=; sessionid=b', 'b'],
    ['sessionid=b', 'b'],
    ['a=1;sessionid = b ;c=2', 'b'],
    ['sessionid="quoted"', 'quoted'],
    ['sessionid=%41', '%41'],
    ['sessionid=a=b', 'a=b'],
    ['sessionid=one; sessionid=two', 'two'],
    ['xsessionid=no; SESSIONID=no; sessionid', undefined],
    ['__proto__=x; constructor=y', undefined],
  ]
  for (const [header, expected] of cases) t.equal(readSessionCookie(header, names), expected, String(header))
})
