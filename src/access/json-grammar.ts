/** The states of the JSON grammar (RFC 8259) that other files name. */
export const states = {
  malformed: 0,
  // Reached at the six structural characters: the next state depends on the nesting, which a table cannot hold.
  openObject: 1,
  openArray: 2,
  closeObject: 3,
  closeArray: 4,
  comma: 5,
  colon: 6,
  // Before a value; after `[`, after `{`, after a comma in an object; after a value.
  value: 7,
  firstElement: 8,
  firstKey: 9,
  key: 10,
  afterValue: 11,
} as const

/** The state after a byte is `transitions[(state << 8) | byte]`. The caller resolves states up to `colon`. */
export const transitions = new Uint8Array(64 << 8)

const ends = new Set<number>([states.afterValue])

/** States in which a text can end if no object or list is open. */
export const finalStates: ReadonlySet<number> = ends

let lastState: number = states.afterValue
const newState = (): number => ++lastState

function on (state: number, characters: string, next: number): void {
  for (const byte of Buffer.from(characters, 'latin1')) transitions[(state << 8) | byte] = next
}

const whitespace = ' \t\n\r'
const digits = '0123456789'

function allowSeparators (state: number): void {
  on(state, whitespace, states.afterValue)
  on(state, ',', states.comma)
  on(state, '}', states.closeObject)
  on(state, ']', states.closeArray)
}

/** Adds the states of a string, and returns the one after its opening quotation mark. */
function addString (afterString: number): number {
  const [text, escape] = [newState(), newState()]
  transitions.fill(text, (text << 8) | 0x20, (text + 1) << 8)
  on(text, '"', afterString)
  on(text, '\\', escape)
  on(escape, '"\\/bfnrt', text)
  let before = escape
  for (const step of ['u', 'x', 'x', 'x']) {
    const next = newState()
    on(before, step === 'u' ? 'u' : `${digits}abcdefABCDEF`, next)
    before = next
  }
  on(before, `${digits}abcdefABCDEF`, text)
  return text
}

/** Adds the states of `true`, `false` or `null`. */
function addLiteral (word: string): void {
  let before: number | undefined
  for (const [index, letter] of [...word].entries()) {
    const next = index === word.length - 1 ? states.afterValue : newState()
    for (const from of before === undefined ? [states.value, states.firstElement] : [before]) on(from, letter, next)
    before = next
  }
}

function addNumbers (): void {
  const [minus, zero, integer, point, fraction] = [newState(), newState(), newState(), newState(), newState()]
  const [exponent, sign, power] = [newState(), newState(), newState()]
  for (const state of [zero, integer, fraction, power]) {
    allowSeparators(state)
    ends.add(state)
  }
  for (const state of [states.value, states.firstElement, minus]) {
    on(state, '0', zero)
    on(state, '123456789', integer)
  }
  for (const state of [states.value, states.firstElement]) on(state, '-', minus)
  for (const state of [zero, integer]) on(state, '.', point)
  for (const state of [zero, integer, fraction]) on(state, 'eE', exponent)
  for (const state of [point, fraction]) on(state, digits, fraction)
  for (const state of [exponent, sign, power]) on(state, digits, power)
  on(integer, digits, integer)
  on(exponent, '+-', sign)
}

function addStructure (): void {
  const afterKey = newState()
  const keyString = addString(afterKey)
  const valueString = addString(states.afterValue)
  for (const state of [states.value, states.firstElement, states.firstKey, states.key, afterKey]) {
    on(state, whitespace, state)
  }
  allowSeparators(states.afterValue)
  for (const state of [states.value, states.firstElement]) {
    on(state, '"', valueString)
    on(state, '{', states.openObject)
    on(state, '[', states.openArray)
  }
  for (const state of [states.firstKey, states.key]) on(state, '"', keyString)
  on(states.firstKey, '}', states.closeObject)
  on(states.firstElement, ']', states.closeArray)
  on(afterKey, ':', states.colon)
}

addStructure()
addNumbers()
for (const word of ['true', 'false', 'null']) addLiteral(word)
