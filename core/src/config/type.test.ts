import { Type as TypeBox } from 'typebox'
import { expect, it } from 'vitest'
import { Type } from './type.ts'

it('makes the schemas that TypeBox makes', () => {
  const all = (T: typeof Type) =>
    T.Object(
      {
        name: T.String({ minLength: 1, description: 'A name' }),
        port: T.Optional(T.Integer({ minimum: 0, default: 1 })),
        mode: T.Enum(['a', 'b'], { default: 'a' }),
        list: T.Array(T.Object({ on: T.Boolean() }), { maxItems: 2 }),
        none: T.Object({ maybe: T.Optional(T.Boolean({ default: true })) }, { additionalProperties: false }),
      },
      { description: 'All of them' },
    )
  expect(JSON.parse(JSON.stringify(all(Type)))).toEqual(JSON.parse(JSON.stringify(all(TypeBox))))
})
