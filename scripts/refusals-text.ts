import { refusalRules } from '../src/refusal-rules.ts'

const opening = `# Refusals

Every request, WebSocket or document that y-provider refuses is a line of level \`warn\` in the log, \`Refused a client\`:

\`\`\`json
{"level":40,"rule":"forbidden","code":4403,"reason":"You may not read this document.","room":"a3e1…","origin":"https://docs.example.org","allowed":["https://docs.example.org"],"credentials":["cookie"],"remoteAddress":"10.0.0.7","msg":"Refused a client"}
\`\`\`

| field | meaning |
| --- | --- |
| \`rule\` | the rule of the table below |
| \`code\` | what was sent: an HTTP status, or a close code; for a document on a Hocuspocus socket that stays open, the code that y-websocket would get |
| \`reason\` | the rule's case, in words |
| \`room\`, \`user\` | the document and the user, where they are known |
| \`origin\`, \`allowed\` | the \`Origin\` header that came, and \`COLLABORATION_SERVER_ORIGIN\` |
| \`credentials\` | which kinds came, good or bad: \`authorization\`, \`cookie\`, \`ticket\`; never their content |
| \`remoteAddress\` | the client's address; behind a proxy, set \`TRUST_PROXY\` |
| \`suppressed\` | how many refusals by this rule and of this address were not logged since the last line: there is one in 10 s |

\`y_provider_refusals_total\` counts all of them by \`rule\` ([metrics](operations.md#metrics)).

A browser does not show a script why a handshake failed, but its network tools show the answer. Codes from 4400 to 4499
are final: y-websocket 3.1 stops at them, older versions still retry. A Hocuspocus provider reconnects after every
close, so y-provider leaves the socket open when access is denied (4401, 4403, 4404). The provider reports
\`authenticationFailed\`. Provider 2 then detaches. Providers 3 and 4 retry after 30 s without a message, about twice a
minute, and at once when the document or the user is reset; other documents on the same socket are not affected.

This page is written by \`npm run refusals-page\` from \`src/refusal-rules.ts\`.

| rule | code | what the client sees | what to do |
| --- | --- | --- | --- |
`

/** The text of docs/refusals.md. */
export function refusalsPage (): string {
  const rows = Object.entries(refusalRules).map(([rule, { codes, seen, remedy }]) => `| \`${rule}\` | ${codes.join(', ')} | ${seen} | ${remedy} |`)
  return `${opening}${rows.join('\n')}\n`
}
