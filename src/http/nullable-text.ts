import Type from 'typebox'

/** The schema of a text or null. */
export const nullableText = (annotations: { readonly description: string, readonly examples?: readonly unknown[] }) => {
  return Type.Unsafe<string | null>({ type: ['string', 'null'], ...annotations })
}
