import { errorCodes } from './errors.ts'

/** The text of docs/reference/errors.md, made from the table of codes. */
export function errorReference(): string {
  const rows = Object.entries(errorCodes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([code, { status, retryable, meaning }]) =>
        `| \`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${meaning} |`,
    )
  return [
    '# Error codes',
    '',
    '<!-- Made by `npm run docs` from core/src/model/errors.ts. Do not edit. -->',
    '',
    'Errors of Sluice itself carry a `code`. Codes are public API: they may be added, never renamed. Over HTTP the body',
    'stays OpenWhisk\'s, `{"error": text, "code": transaction id}`; the status is the one given here. Where OpenWhisk has',
    'a text of its own for a case, the answer has that text word for word.',
    '',
    'Retryable: the same request may succeed later without any change.',
    '',
    '| Code | HTTP status | Retryable | Meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}
