/** The messages of io.cloudevents.v1 from their published field numbers, for a library that knows nothing of ours. */
import { createFileRegistry, fromBinary, fromJson, type DescMessage } from '@bufbuild/protobuf'
import {
  FileDescriptorSetSchema,
  file_google_protobuf_any,
  file_google_protobuf_timestamp,
  type FileDescriptorProtoJson,
} from '@bufbuild/protobuf/wkt'

type Field = NonNullable<NonNullable<FileDescriptorProtoJson['messageType']>[0]['field']>[0]

const one = (name: string, number: number, type: string, typeName?: string, oneofIndex?: number): Field =>
  ({ name, number, type: `TYPE_${type}`, label: 'LABEL_OPTIONAL', typeName, oneofIndex }) as Field
const many = (name: string, number: number, typeName: string): Field => ({
  name,
  number,
  type: 'TYPE_MESSAGE',
  label: 'LABEL_REPEATED',
  typeName,
})

const scope = '.io.cloudevents.v1.CloudEvent'
const file: FileDescriptorProtoJson = {
  name: 'cloudevents.proto',
  package: 'io.cloudevents.v1',
  syntax: 'proto3',
  dependency: ['google/protobuf/any.proto', 'google/protobuf/timestamp.proto'],
  messageType: [
    {
      name: 'CloudEvent',
      field: [
        one('id', 1, 'STRING'),
        one('source', 2, 'STRING'),
        one('spec_version', 3, 'STRING'),
        one('type', 4, 'STRING'),
        many('attributes', 5, `${scope}.AttributesEntry`),
        one('binary_data', 6, 'BYTES', undefined, 0),
        one('text_data', 7, 'STRING', undefined, 0),
        one('proto_data', 8, 'MESSAGE', '.google.protobuf.Any', 0),
      ],
      oneofDecl: [{ name: 'data' }],
      nestedType: [
        {
          name: 'AttributesEntry',
          field: [one('key', 1, 'STRING'), one('value', 2, 'MESSAGE', `${scope}.CloudEventAttributeValue`)],
          options: { mapEntry: true },
        },
        {
          name: 'CloudEventAttributeValue',
          field: [
            one('ce_boolean', 1, 'BOOL', undefined, 0),
            one('ce_integer', 2, 'INT32', undefined, 0),
            one('ce_string', 3, 'STRING', undefined, 0),
            one('ce_bytes', 4, 'BYTES', undefined, 0),
            one('ce_uri', 5, 'STRING', undefined, 0),
            one('ce_uri_ref', 6, 'STRING', undefined, 0),
            one('ce_timestamp', 7, 'MESSAGE', '.google.protobuf.Timestamp', 0),
          ],
          oneofDecl: [{ name: 'attr' }],
        },
      ],
    },
    { name: 'CloudEventBatch', field: [many('events', 1, scope)] },
  ],
}

const registry = createFileRegistry({
  $typeName: 'google.protobuf.FileDescriptorSet',
  file: [
    file_google_protobuf_any.proto,
    file_google_protobuf_timestamp.proto,
    ...fromJson(FileDescriptorSetSchema, JSON.parse(JSON.stringify({ file: [file] })) as never).file,
  ],
} as never)

export const published = {
  event: registry.getMessage('io.cloudevents.v1.CloudEvent') as DescMessage,
  batch: registry.getMessage('io.cloudevents.v1.CloudEventBatch') as DescMessage,
}

/** A message as the published schema reads it. */
export function readPublished(schema: DescMessage, wire: Uint8Array): Record<string, unknown> {
  return fromBinary(schema, Uint8Array.from(wire))
}
