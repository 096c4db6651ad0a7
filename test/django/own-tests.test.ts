import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { python, requirePython } from '../processes.ts'
import { debianPackages } from './django-project.ts'
import { rootUrl } from '../root.ts'

await t.test('The tests of examples/django pass with Debian\'s Django, and none of them is skipped', async (t) => {
  requirePython(debianPackages)
  const { status, stdout, stderr } = spawnSync(python, ['manage.py', 'test'], {
    cwd: fileURLToPath(new URL('examples/django', rootUrl)),
    env: { PATH: process.env['PATH'], DJANGO_DEBUG: 'true', PYTHONDONTWRITEBYTECODE: '1' },
    encoding: 'utf8',
  })
  t.equal(status, 0, stdout + stderr)
  t.match(stderr, /^OK$/m, 'none is skipped')
})
