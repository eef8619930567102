/** For tests of runtimes: archives as users upload them, and runtimes started as processes or from their images. */
export { renameEntry, tarGz, zip, type Files } from './archives.ts'
export { sentinel, type Logs, type Reply, type StartOptions, type TestContainer, type Way } from './container.ts'
export { dockerWay, hardening, startContainer as startDocker, type DockerOptions } from './docker-way.ts'
export { buildImage, engine, engineDoes, missingImage } from './engine.ts'
export { processWay, type Program } from './process-way.ts'
export { protocolContract, type Answers, type Programs } from './protocol.ts'
export { describeWays, type Start } from './ways.ts'
