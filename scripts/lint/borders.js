import { join } from 'node:path'
import { folderOf, targetOf, visitImports } from './source-files.js'

/**
 * Enforces the order of the folders: a file imports from its own folder and from those after it in the list.
 *
 * Options:
 * - `order`: all folders of `src`, the highest first; a file in `src` itself counts as one
 * - `typesOnly`: for a folder, those from which it imports only types, and of values only the error classes in the list
 * - `apart`: for a folder, those that it must not import although they come after it; its own name: no other file of it
 */
export const borders = {
  meta: {
    type: 'problem',
    schema: [{ type: 'object' }],
    messages: {
      unlisted: 'src/{{folder}} is not in the list of folders in eslint.config.js.',
      up: 'src/{{folder}} must not import from src/{{target}}, which comes before it in eslint.config.js.',
      apart: 'src/{{folder}} must not import from src/{{target}}: {{reason}}',
      values: 'src/{{folder}} imports only types and errors from src/{{target}}.',
    },
  },
  create (context) {
    const { order, typesOnly = {}, apart = {} } = context.options[0]
    const src = join(context.cwd, 'src')
    const folder = folderOf(src, context.filename)
    if (folder === undefined) return {}
    const report = (node, messageId, data = {}) => { context.report({ node, messageId, data: { folder, ...data } }) }

    const checkTarget = (node, target, isTypes, names) => {
      if (!order.includes(folder)) return report(node, 'unlisted')
      const reason = apart[folder]?.[target]
      if (reason !== undefined) return report(node, 'apart', { target, reason })
      if (order.indexOf(target) < order.indexOf(folder)) return report(node, 'up', { target })
      const errors = typesOnly[folder]?.[target]
      if (errors !== undefined && !isTypes && !names.every((name) => errors.includes(name))) report(node, 'values', { target })
    }
    return visitImports((source, path, node) => {
      const target = folderOf(src, targetOf(context.filename, path))
      if (target !== undefined) checkTarget(source, target, isOfTypes(node), valuesOf(node))
    })
  },
}

const isOfTypes = ({ type, importKind, exportKind }) => type === 'TSImportType' || importKind === 'type' || exportKind === 'type'

/** The names of the values that an import brings in; `*` if it brings in all. */
function valuesOf ({ specifiers }) {
  if (specifiers === undefined || specifiers.length === 0) return ['*']
  return specifiers
    .filter(({ importKind, exportKind }) => importKind !== 'type' && exportKind !== 'type')
    .map(({ imported, local }) => imported?.name ?? (local?.type === 'Identifier' && imported === undefined ? '*' : local?.name))
}
