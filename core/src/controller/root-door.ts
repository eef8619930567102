import type { IncomingMessage } from 'node:http'
import type { Registry } from 'prom-client'
import { ApiError } from '../model/index.ts'
import { ok, plain, type Answer } from './answers.ts'
import { acceptsJson } from './request-headers.ts'

/** Routes outside `/api/v1`: server info for everybody, liveness and metrics for operators (rest-api.md §1.1,
 *  reliability.md §6.7.3). */
export interface RootDoor {
  serve(request: IncomingMessage, path: string): Answer | Promise<Answer>
}

export function createRootDoor(deps: {
  info: object
  /** What is missing before work can be taken. */
  readiness: () => readonly string[] | Promise<readonly string[]>
  /** What is not as it should be, although work can be taken. */
  notes?: () => readonly string[]
  metrics?: Registry
  /** Whose routes it serves: a route answers only at its own listener (reliability.md S13). */
  door: Door
}): RootDoor {
  const { info, readiness, notes, metrics, door } = deps
  const paths = [...(door === 'operator' ? [] : publicPaths), ...(door === 'public' ? [] : operatorPaths)]

  function get(request: IncomingMessage, path: string): Answer | Promise<Answer> | undefined {
    if (!paths.includes(path)) return undefined
    switch (path) {
      case '/':
        if (!acceptsJson(request)) throw new ApiError(406, '', { rejection: true })
        return { ...ok(info), cors: 'none' }
      case '/ping':
        return { ...plain('pong'), cors: 'none' }
      case '/livez':
        return { ...ok({ live: true }), cors: 'none' }
      case '/readyz':
        return ready()
      case '/metrics':
        return metrics === undefined ? undefined : exposition(metrics)
    }
    return undefined
  }

  async function ready(): Promise<Answer> {
    const missing = await readiness()
    const noted = notes?.() ?? []
    const answer = ok({
      ...(missing.length === 0 ? { ready: true } : { ready: false, missing }),
      ...(noted.length === 0 ? {} : { notes: noted }),
    })
    return { ...answer, status: missing.length === 0 ? 200 : 503, cors: 'none' }
  }

  async function exposition(registry: Registry): Promise<Answer> {
    return {
      status: 200,
      body: await registry.metrics(),
      headers: { 'content-type': registry.contentType },
      cors: 'none',
    }
  }

  return {
    serve(request, path) {
      if (request.method === 'OPTIONS') return { ...plain('OK'), cors: 'operator' }
      const answer = request.method === 'GET' ? get(request, path) : undefined
      return answer ?? methodNotAllowed(paths.includes(path))
    },
  }
}

/** `all`: one listener for everybody. */
export type Door = 'all' | 'public' | 'operator'

const publicPaths = ['/', '/ping']
const operatorPaths = ['/livez', '/readyz', '/metrics']

/** OpenWhisk answers 405 for every unknown path out here (rest-api.md §1.8). */
function methodNotAllowed(known: boolean): never {
  const allow = known ? 'GET, OPTIONS' : 'OPTIONS'
  throw new MethodNotAllowed(allow)
}

/** 405 carries the methods in its text and in `Allow`. */
export class MethodNotAllowed extends ApiError {
  readonly allow: string
  constructor(allow: string) {
    super(405, `HTTP method not allowed, supported methods: ${allow}`, { rejection: true })
    this.allow = allow
  }
}
