import { parseJson, stringifyJson, type FireRecord } from '../model/index.ts'

/** Fire records on the bus. */

/** JSON text of a fire record; parameters keep their digits. */
export function encodeFire(record: FireRecord): string {
  return record.trigger.parameters.length === 0 ? JSON.stringify(record) : stringifyJson(record)
}

/** Nothing for what is not a fire record. */
export function decodeFire(body: Uint8Array): FireRecord | undefined {
  try {
    const fire = parseJson(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()) as FireRecord | null
    const isFire =
      typeof fire?.fireId === 'string' &&
      Array.isArray(fire.rules) &&
      typeof fire.user?.namespace?.name === 'string' &&
      typeof fire.trigger?.name === 'string' &&
      typeof fire.payload === 'string'
    return isFire ? fire : undefined
  } catch {
    return undefined
  }
}
