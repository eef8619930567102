export {
  openDockerContainerFactory,
  type DockerContainerFactory,
  type DockerContainerFactoryOptions,
} from './docker-container-factory.ts'
export { type EngineAddress } from './engine.ts'
export { EngineError } from './engine-error.ts'
export { engineAddress, mayAnswer } from './engine-address.ts'
