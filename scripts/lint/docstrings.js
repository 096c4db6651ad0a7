/** Requires a docstring on every exported declaration. */
export const docstrings = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: { missing: 'This export has no docstring.' },
  },
  create (context) {
    const { sourceCode } = context
    const check = (node) => {
      if (node.declaration === null || isOverload(node)) return
      const before = sourceCode.getCommentsBefore(node).at(-1)
      const isThere = before?.type === 'Block' && before.value.startsWith('*') && before.loc.end.line === node.loc.start.line - 1
      if (!isThere) context.report({ node, messageId: 'missing', loc: sourceCode.getFirstToken(node).loc })
    }
    return { ExportNamedDeclaration: check, ExportDefaultDeclaration: check }
  },
}

/** The second and further signatures of a function share the docstring of the first. */
function isOverload ({ declaration, parent }) {
  const { body } = parent
  const previous = body[body.findIndex((node) => node.declaration === declaration) - 1]
  return previous?.declaration?.type === 'TSDeclareFunction' && previous.declaration.id?.name === declaration.id?.name
}
