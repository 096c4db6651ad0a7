import { refusalRules } from '../src/logging/refusal-rules.ts'

const opening = `# Refusals

When y-provider refuses a request, a WebSocket or a document, it logs \`Refused a client\` at level \`warn\`, at most once
in 10 s for each rule and address:

\`\`\`json
{"level":40,"rule":"forbidden","code":4403,"reason":"You may not read this document.","room":"a3e1…","origin":"https://docs.example.org","allowed":["https://docs.example.org"],"credentials":["cookie"],"remoteAddress":"10.0.0.7","msg":"Refused a client"}
\`\`\`

| field | meaning |
| --- | --- |
| \`rule\` | the rule of the table below |
| \`code\` | the HTTP status or close code that was sent; for a document on a Hocuspocus socket that stays open, the code that y-websocket would get |
| \`reason\` | what was wrong in this case, in one sentence |
| \`room\`, \`user\` | the document and the user, if they are known |
| \`origin\`, \`allowed\` | the client's \`Origin\` header, and \`COLLABORATION_SERVER_ORIGIN\` |
| \`credentials\` | the kinds of credentials that were sent, valid or not: \`authorization\`, \`cookie\`, \`ticket\`; never their content |
| \`remoteAddress\` | the client's address; behind a proxy, set \`TRUST_PROXY\` |
| \`suppressed\` | the number of refusals for this rule and address since the previous line that were not logged |

\`y_provider_refusals_total\` counts every refusal by \`rule\` ([metrics](operations.md#metrics)).

A browser does not show a script why a handshake failed, but its network tools show the answer. Codes from 4400 to 4499
are final: y-websocket 3.1 stops at them, older versions still retry.

A Hocuspocus provider reconnects after every close, so y-provider leaves the socket open when access is denied (4401,
4403). The provider reports \`authenticationFailed\`. Provider 2 then detaches. Providers 3 and 4 retry after 30 s without
a message, about twice a minute, and reconnect at once when the document or the user is reset. Other documents on the
same socket are not affected by any code from 4400 to 4499.

This page is written by \`npm run refusals-page\` from \`src/logging/refusal-rules.ts\`.

| rule | code | what the client sees | what to do |
| --- | --- | --- | --- |
`

/** The text of docs/refusals.md. */
export function refusalsPage (): string {
  const rows = Object.entries(refusalRules)
    .map(([rule, { codes, seen, remedy }]) => `| \`${rule}\` | ${codes.join(', ')} | ${seen} | ${remedy} |`)
  return `${opening}${rows.join('\n')}\n`
}
