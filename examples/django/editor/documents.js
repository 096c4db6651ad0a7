import { call, show } from './http.js'

document.querySelector('#import').addEventListener('submit', function importFile (event) {
  event.preventDefault()
  show(async () => {
    const answer = await call('/documents/import/', { method: 'POST', body: new FormData(event.target) })
    window.location.href = `/documents/${(await answer.json()).id}/`
  })
})
