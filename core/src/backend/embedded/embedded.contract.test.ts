import {
  activationStoreContract,
  artifactStoreContract,
  attachmentStoreContract,
  messageBusContract,
  stateStoreContract,
} from '../../../contract/index.ts'
import { openerOf } from './testing/rig.ts'

const kept = { lasting: true }
messageBusContract(
  'embedded',
  openerOf(({ bus }) => bus),
  kept,
)
artifactStoreContract(
  'embedded',
  openerOf(({ artifacts }) => artifacts),
  kept,
)
attachmentStoreContract(
  'embedded',
  openerOf(({ attachments }) => attachments),
  kept,
)
activationStoreContract(
  'embedded',
  openerOf(({ activations }) => activations),
  kept,
)
stateStoreContract(
  'embedded',
  openerOf(({ state }) => state),
  kept,
)
