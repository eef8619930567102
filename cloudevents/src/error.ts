/** What is wrong with an event: the rule of CloudEvents 1.0.2 that it breaks, and the attribute that breaks it. */

/** `invalid`: not a legal CloudEvent (HTTP 400). `unsupported`: a format nobody here reads (HTTP 415). `batch`: several
 *  events where one was asked for. `too-large`: beyond a limit of the caller (HTTP 413). */
export type CloudEventErrorKind = 'invalid' | 'unsupported' | 'batch' | 'too-large'

/** The rule that was broken, for code that branches. Add, never rename. */
export type CloudEventRule = keyof typeof ruleTexts

const ruleTexts = {
  required: 'is required and missing',
  version: "must be '1.0'",
  string: 'must be a string',
  empty: 'must not be empty',
  control: 'must not contain control characters',
  surrogate: 'must not contain unpaired surrogates',
  noncharacter: 'must not contain Unicode noncharacters',
  name: 'is not a legal attribute name, which is made of a-z and 0-9',
  'name-length': 'is not a legal attribute name, which has at most 20 characters',
  reserved: 'is a name that an extension must not have',
  'uri-reference': 'must be a URI reference (RFC 3986)',
  uri: 'must be an absolute URI (RFC 3986)',
  timestamp: 'must be a timestamp (RFC 3339)',
  'media-type': 'must be a media type (RFC 2046)',
  'extension-type': 'must be a string, a boolean, an integer or bytes',
  int32: 'must be an integer of 32 bits without a fraction',
  'data-kind': 'must be a string, or bytes in data_base64, unless datacontenttype declares JSON',
  'data-twice': 'must not stand beside data_base64',
  base64: 'must be base64 (RFC 4648)',
  json: 'must be JSON',
  object: 'must be a JSON object',
  array: 'must be a JSON array of events',
  utf8: 'must be valid UTF-8',
  avro: 'must be Avro of the CloudEvents schema',
  protobuf: 'must be Protobuf of the CloudEvents schema',
  xml: 'must be XML of the CloudEvents format',
  doctype: 'must not have a document type declaration',
  depth: 'is nested too deeply',
  size: 'is too large',
  count: 'holds too many events',
  attributes: 'has too many attributes',
  values: 'has too many values',
  boolean: 'must be true or false',
  positive: 'must be greater than zero',
  'trace-context': 'must be a W3C trace context',
  doubled: 'must be given once',
  'binary-mode': 'names a CloudEvents media type, which binary mode cannot carry',
  format: 'is in a format that is not supported',
  batch: 'holds a batch where one event is expected',
} as const

const kinds: { readonly [rule in CloudEventRule]?: CloudEventErrorKind } = {
  format: 'unsupported',
  batch: 'batch',
  size: 'too-large',
  count: 'too-large',
  attributes: 'too-large',
  values: 'too-large',
}

/** Thrown by everything in this package that refuses its input, and nothing else is. Never carries a value of the event:
 *  the message may be answered and logged as it is. */
export class CloudEventError extends Error {
  override readonly name = 'CloudEventError'
  readonly rule: CloudEventRule
  /** The attribute, `data`, `data_base64`, or the part of the message (`body`, `content-type`). */
  readonly attribute: string
  readonly kind: CloudEventErrorKind

  constructor(attribute: string, rule: CloudEventRule, options?: ErrorOptions & { readonly detail?: string }) {
    const detail = options?.detail === undefined ? '' : `; ${options.detail}`
    super(`CloudEvent ${quoted(attribute)} ${ruleTexts[rule]}${detail}`, options)
    this.attribute = attribute
    this.rule = rule
    this.kind = kinds[rule] ?? 'invalid'
  }
}

const nameShownMax = 40

/** The name may come from outside: one line, printable, bounded. */
function quoted(attribute: string): string {
  const shown = attribute.length > nameShownMax ? `${attribute.slice(0, nameShownMax)}...` : attribute
  return `'${shown.replace(/[^\x20-\x7e]/g, '?')}'`
}
