import { request } from 'node:http'

/** Where tests look for a container engine. */
export const engineSocket = '/var/run/docker.sock'

/**
 * Why tests that need an engine with this image cannot run; empty: they can. Throws instead when SLUICE_TEST_REQUIRE asks
 * for docker.
 */
export async function dockerMissing(image: string): Promise<string> {
  const missing = await whatIsMissing(image)
  const required = (process.env.SLUICE_TEST_REQUIRE ?? '').split(',').includes('docker')
  if (missing !== '' && required) throw new Error(missing)
  return missing
}

async function whatIsMissing(image: string): Promise<string> {
  if ((await status('/_ping')) !== 200) return `needs docker: no engine answers at ${engineSocket}`
  if ((await status(`/images/${image}/json`)) !== 200) return `needs docker: the engine has no image ${image}`
  return ''
}

function status(path: string): Promise<number> {
  return new Promise(resolve => {
    const sent = request({ socketPath: engineSocket, path, timeout: 5000 }, response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.once('timeout', () => sent.destroy(new Error('no answer')))
    sent.once('error', () => resolve(0))
    sent.end()
  })
}
