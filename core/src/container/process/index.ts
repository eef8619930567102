export {
  createProcessContainerFactory,
  type ProcessContainerFactory,
  type ProcessContainerFactoryOptions,
  type ProcessRuntime,
} from './process-container-factory.ts'
