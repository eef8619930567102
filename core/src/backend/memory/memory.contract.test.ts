import {
  activationStoreContract,
  artifactStoreContract,
  attachmentStoreContract,
  messageBusContract,
  stateStoreContract,
  type Opener,
} from '../../../contract/index.ts'
import { systemClock, systemRandom, type Backend } from '../../spi/index.ts'
import { openMemoryBackend } from './index.ts'

function of<T>(part: (backend: Backend) => T): Opener<T> {
  return async () => {
    const backend = openMemoryBackend({ clock: systemClock, random: systemRandom })
    return { subject: part(backend), dispose: () => backend.close() }
  }
}

const gone = { lasting: false }
messageBusContract(
  'memory',
  of(({ bus }) => bus),
  gone,
)
artifactStoreContract(
  'memory',
  of(({ artifacts }) => artifacts),
  gone,
)
attachmentStoreContract(
  'memory',
  of(({ attachments }) => attachments),
  gone,
)
activationStoreContract(
  'memory',
  of(({ activations }) => activations),
  gone,
)
stateStoreContract(
  'memory',
  of(({ state }) => state),
  gone,
)
