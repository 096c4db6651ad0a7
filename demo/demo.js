import '@blocknote/core/style.css'
import { BlockNoteEditor } from '@blocknote/core'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { keepAccess } from '../examples/y-websocket/keep-access.js'
import { watchStored } from '../examples/y-websocket/stored.js'

const people = [{ name: 'Ada', color: '#7a3fd1' }, { name: 'Grace', color: '#0f7b6c' }]
const room = new URLSearchParams(location.search).get('room') ?? 'demo'

/** Adds a person to the page, with their own document, connection and editor. */
async function enter ({ name, color }) {
  const section = document.querySelector('#people').appendChild(document.createElement('section'))
  section.innerHTML = '<h2><i></i><b></b><span>connecting</span><label><input type="checkbox" checked> Can edit</label><button type="button">Go offline</button></h2><div></div>'
  section.querySelector('i').style.background = color
  section.querySelector('b').textContent = name
  const state = section.querySelector('span')
  const toggle = section.querySelector('button')
  const right = section.querySelector('input')
  const fetchTicket = async () => await (await fetch(`/ticket?${new URLSearchParams({ room, user: name, edit: right.checked })}`)).json()

  const { url, ticket } = await fetchTicket()
  document.querySelector('#url').textContent = url
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(url, room, doc, { params: { token: ticket }, disableBc: true })
  provider.on('status', ({ status }) => show(status))
  watchStored(provider, (isStored) => { if (provider.wsconnected) show('connected', isStored ? 'saved' : 'saving') })
  provider.on('closed', ({ code, reason }) => show('refused', `refused: ${reason || code}`))
  toggle.addEventListener('click', () => {
    if (provider.shouldConnect) provider.disconnect()
    else provider.connect()
    toggle.textContent = provider.shouldConnect ? 'Go offline' : 'Go online'
  })

  function show (status, text = status) {
    state.dataset.state = status
    state.textContent = text
  }

  const editor = BlockNoteEditor.create({
    collaboration: { provider, fragment: doc.getXmlFragment('document-store'), user: { name, color } },
    domAttributes: { editor: { 'aria-label': `Document, as ${name} sees it` } },
  })
  editor.mount(section.querySelector('div'))
  const setEditable = (canEdit) => { editor.isEditable = canEdit }
  const { renew } = keepAccess(provider, async () => (await fetchTicket()).ticket, setEditable)
  right.addEventListener('change', renew)
}

document.querySelector('#room').textContent = room
document.querySelector('#again').href = location.href
document.querySelector('#fresh').href = `?room=${crypto.randomUUID()}`
for (const person of people) await enter(person)
