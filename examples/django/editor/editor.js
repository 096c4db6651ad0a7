import '@blocknote/core/style.css'
import { BlockNoteEditor } from '@blocknote/core'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { keepAccess } from '../../y-websocket/keep-access.js'
import { watchStored } from '../../y-websocket/stored.js'
import { call, show } from './http.js'

const config = JSON.parse(document.querySelector('#config').textContent)
const status = document.querySelector('#status')
const url = config.websocketUrl || `${window.location.origin.replace(/^http/, 'ws')}/collaboration/ws`
const doc = new Y.Doc()
const COLOURS = ['#b42318', '#93370d', '#3f621a', '#107569', '#175cd3', '#5925dc', '#9f1ab1', '#c11574']

async function fetchTicket () {
  const answer = await call(`/documents/${config.room}/ticket/`)
  return (await answer.json()).ticket
}

async function open () {
  const beginning = await (await call(`/documents/${config.room}/beginning/`)).arrayBuffer()
  if (beginning.byteLength > 0) Y.applyUpdate(doc, new Uint8Array(beginning))

  const params = config.access === 'ticket' ? { token: await fetchTicket() } : {}
  const provider = new WebsocketProvider(url, config.room, doc, { params, connect: false, disableBc: true })
  provider.on('closed', (event) => tell('refused', `refused: ${event.reason || event.code}`))
  watchStored(provider, (isStored) => { document.querySelector('#stored').textContent = isStored ? 'saved' : 'saving' })
  provider.awareness.on('change', () => {
    const names = [...provider.awareness.getStates().values()].map((state) => state.user?.name).filter(Boolean)
    document.querySelector('#people').textContent = [...new Set(names)].sort().join(', ')
  })

  const number = [...config.user].reduce((sum, letter) => sum * 31 + letter.codePointAt(0), 7)
  const editor = BlockNoteEditor.create({
    collaboration: {
      provider,
      fragment: doc.getXmlFragment('document-store'),
      user: { name: config.user, color: COLOURS[number % COLOURS.length] },
    },
  })
  editor.mount(document.querySelector('#editor'))
  editor.isEditable = false
  if (config.access === 'ticket') keepAccess(provider, fetchTicket, (canEdit) => { editor.isEditable = canEdit })

  provider.on('status', ({ status }) => tell(status))
  provider.on('sync', (synced) => {
    // Access can have changed while the page was disconnected. The server enforces it in any case.
    if (synced) show(async () => { editor.isEditable = await mayEdit() })
  })
  provider.connect()
}

async function mayEdit () {
  const answer = await call(`/documents/${config.room}/`)
  return (await answer.json()).abilities.update
}

function tell (state, text = state) {
  status.textContent = text
  status.dataset.state = state
}

for (const button of document.querySelectorAll('[data-export]')) {
  button.addEventListener('click', () => show(async () => {
    const path = `/documents/${config.room}/export/?format=${button.dataset.export}`
    const file = await (await call(path, { method: 'POST', body: Y.encodeStateAsUpdate(doc) })).blob()
    const link = document.createElement('a')
    link.href = URL.createObjectURL(file)
    link.download = `${document.title}.${{ markdown: 'md', html: 'html', json: 'json' }[button.dataset.export]}`
    link.click()
    URL.revokeObjectURL(link.href)
  }))
}

document.querySelector('#share')?.addEventListener('submit', function changeShare (event) {
  event.preventDefault()
  const { username, can_edit: canEdit } = event.target.elements
  const path = `/documents/${config.room}/shares/`
  show(() => event.submitter.value === 'share'
    ? call(path, { method: 'POST', json: { username: username.value, can_edit: canEdit.checked } })
    : call(`${path}${encodeURIComponent(username.value)}/`, { method: 'DELETE' }))
})

show(open)
