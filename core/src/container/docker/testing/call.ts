import { request } from 'node:http'
import { systemClock, type Container } from '../../../spi/index.ts'

/** Asks the test runtime in a container; waits for its door to open. Rejects when the connection breaks. */
export async function call(container: Container, path: string, body: object = {}): Promise<unknown> {
  for (let tries = 0; ; tries++) {
    try {
      return await post(container, path, body)
    } catch (error) {
      const { code } = error as { code?: string }
      if ((code !== 'ENOENT' && code !== 'ECONNREFUSED') || tries > 1000) throw error
      await systemClock.sleep(5)
    }
  }
}

function post({ endpoint }: Container, path: string, body: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...endpoint, path, method: 'POST', agent: false }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => (response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(text))))
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(body))
  })
}
