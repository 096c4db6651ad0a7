/** Calls the API of this site and returns the response. @throws Error with Django's message if the call fails */
export async function call (path, { method = 'GET', json, body } = {}) {
  const response = await fetch(`/api/v1.0${path}`, {
    method,
    headers: {
      'X-CSRFToken': document.querySelector('[name=csrfmiddlewaretoken]')?.value ?? '',
      ...(json && { 'Content-Type': 'application/json' }),
    },
    body: json ? JSON.stringify(json) : body,
  })
  if (response.ok) return response
  const refusal = await response.json().catch(() => ({ detail: response.statusText }))
  throw new Error(refusal.detail)
}

/** Runs an action, and shows an error in the page if it fails. */
export async function show (action) {
  const place = document.querySelector('#failure')
  place.textContent = ''
  try {
    await action()
  } catch (error) {
    place.textContent = error.message
  }
}
