import { buildImage, describeWays, dockerWay, startDocker, tarGz, zip } from '@sluice/runtime-contract'
import { expect, it } from 'vitest'

/** What users change in the image for actions of their own. */

const image = 'sluice/action-nodejs-v20:latest'
const derived = `sluice-test/derived-${process.pid}:latest`

describeWays([dockerWay({ image })], (_, startContainer) => {
  it('[runtime:NODE-21] a derived image lends the openwhisk client of its own version, and the other packages as before', async () => {
    // As a registry would have it: a package of another version, installed with npm.
    const archive = await tarGz({
      'package/package.json': JSON.stringify({ name: 'openwhisk', version: '2.0.1', main: 'client.js' }),
      'package/client.js': 'module.exports = () => ({ derived: true })',
    })
    await buildImage(derived, {
      Dockerfile: `FROM ${image}
USER root
COPY openwhisk.tgz /tmp/
RUN npm install --prefix /nodejsAction --offline --no-audit --no-fund /tmp/openwhisk.tgz
USER 1001:1001
`,
      'openwhisk.tgz': Buffer.from(archive, 'base64'),
    })
    const source = `exports.main = () => ({
      version: require('openwhisk/package.json').version,
      derived: require('openwhisk')({ apihost: 'x', api_key: 'y' }).derived,
      others: ['express', 'redis', 'serialize-error', 'uuid'].map(name => typeof require(name)),
    })`
    const others = ['function', 'object', 'object', 'object']
    for (const code of [source, await zip({ 'index.js': source })]) {
      const container = await startDocker({ image: derived })
      expect((await container.init(code)).body).toEqual({ OK: true })
      expect((await container.run()).body).toEqual({ version: '2.0.1', derived: true, others })
      const plain = await startContainer()
      await plain.init(code)
      expect((await plain.run()).body).toEqual({ version: expect.stringMatching(/^3\./), others })
    }
  }, 120_000)
})
