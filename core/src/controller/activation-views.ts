import { statusNames, type ActivationRecord } from '../model/index.ts'

/** Records as clients see them (rest-api.md §6): without the hub's own bookkeeping. */

export function activationView(record: ActivationRecord) {
  const { namespace, name, version, subject, activationId, start, end, duration, cause, logs, annotations } = record
  return {
    namespace,
    name,
    version,
    subject,
    activationId,
    start,
    ...(end === undefined ? {} : { end }),
    ...(duration === undefined ? {} : { duration }),
    ...(cause === undefined ? {} : { cause }),
    response: responseView(record),
    logs,
    annotations,
    publish: false,
  }
}

/** The answer of a blocking invoke: logs are for those who read the record, but a sequence's are its components. */
export function blockingView(record: ActivationRecord) {
  const isSequence = record.annotations.some(({ key, value }) => key === 'kind' && value === 'sequence')
  return activationView(isSequence ? record : { ...record, logs: [] })
}

export function responseView({ response }: ActivationRecord) {
  const { statusCode, result, size } = response
  return {
    status: statusNames[statusCode],
    success: statusCode === 0,
    ...(result === undefined ? {} : { result }),
    ...(size === undefined ? {} : { size }),
  }
}
