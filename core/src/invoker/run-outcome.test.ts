import { describe, expect, it } from 'vitest'
import { initFailure, runResponse, type CallOutcome } from './run-outcome.ts'

const answer = (status: number, body: string): CallOutcome => ({ kind: 'answer', status, body })

describe('the response of a run', () => {
  it.each<[string, CallOutcome, unknown]>([
    ['an object is a success', answer(200, '{"a":1}'), { statusCode: 0, result: { a: 1 }, size: 7 }],
    ['an array is a success', answer(200, '[1,2]'), { statusCode: 0, result: [1, 2], size: 5 }],
    [
      'an object with error drops its other keys',
      answer(200, '{"error":"x","y":1}'),
      { statusCode: 1, result: { error: 'x' }, size: 19 },
    ],
    [
      'an error that is null counts',
      answer(200, '{"error":null}'),
      { statusCode: 1, result: { error: null }, size: 14 },
    ],
    [
      'null is no valid response',
      answer(200, 'null'),
      {
        statusCode: 2,
        result: { error: 'The action did not produce a valid JSON or JSON Array response: null' },
        size: 4,
      },
    ],
    [
      'text is no valid response',
      answer(200, 'hello'),
      {
        statusCode: 2,
        result: { error: 'The action did not produce a valid JSON or JSON Array response: hello' },
        size: 5,
      },
    ],
    [
      'an empty body has no colon in its text',
      answer(200, ''),
      { statusCode: 2, result: { error: 'The action did not produce a valid JSON or JSON Array response.' } },
    ],
    [
      'a non-200 error object is a developer error',
      answer(502, '{"error":{"deep":1}}'),
      { statusCode: 2, result: { error: { deep: 1 } }, size: 20 },
    ],
    [
      'a non-200 body without error is an invalid response',
      answer(500, '{"a":1}'),
      {
        statusCode: 2,
        result: { error: 'The action did not produce a valid JSON or JSON Array response: {"a":1}' },
        size: 7,
      },
    ],
    [
      'a lost connection',
      { kind: 'lost', oom: false, outside: false },
      { statusCode: 2, result: { error: 'The action did not produce a valid response and exited unexpectedly.' } },
    ],
    [
      'a container lost from outside is no fault of the action',
      { kind: 'lost', oom: false, outside: true },
      { statusCode: 3, result: { error: 'The action did not produce a valid response and exited unexpectedly.' } },
    ],
    [
      'exhausted memory',
      { kind: 'lost', oom: true, outside: false },
      { statusCode: 2, result: { error: 'The action exhausted its memory and was aborted.' } },
    ],
    [
      'a time-out',
      { kind: 'timeout' },
      { statusCode: 2, result: { error: 'The action exceeded its time limits of 3000 milliseconds.' } },
    ],
  ])('%s', (_, outcome, expected) => {
    expect(runResponse(outcome, 3000)).toEqual(expected)
  })

  it('too long a body is an application error that quotes its beginning', () => {
    const outcome: CallOutcome = {
      kind: 'answer',
      status: 200,
      body: '{"a":"xx',
      truncated: { bytes: 2000, max: 1000 },
    }
    expect(runResponse(outcome, 1)).toEqual({
      statusCode: 1,
      result: {
        error:
          'The action produced a response that exceeded the allowed length: 2000 > 1000 bytes. The truncated response was: {"a":"xx',
      },
      size: 2000,
    })
  })
})

describe('the response of a failed init', () => {
  it.each<[string, CallOutcome, unknown]>([
    ['success gives nothing', answer(200, 'anything'), undefined],
    [
      'an error object is passed on',
      answer(502, '{"error":"bad code"}'),
      { statusCode: 2, result: { error: 'bad code' }, size: 20 },
    ],
    [
      'another body is quoted',
      answer(500, 'oops'),
      { statusCode: 2, result: { error: 'The action failed during initialization: oops' }, size: 4 },
    ],
    [
      'an empty body',
      answer(500, ''),
      { statusCode: 2, result: { error: 'The action failed during initialization.' } },
    ],
    [
      'an exit',
      { kind: 'lost', oom: false, outside: false },
      { statusCode: 2, result: { error: 'The action did not initialize and exited unexpectedly.' } },
    ],
    [
      'exhausted memory',
      { kind: 'lost', oom: true, outside: false },
      { statusCode: 2, result: { error: 'The action exhausted its memory and was aborted.' } },
    ],
    [
      'a time-out',
      { kind: 'timeout' },
      {
        statusCode: 2,
        result: { error: 'The action exceeded its time limits of 100 milliseconds during initialization.' },
      },
    ],
  ])('%s', (_, outcome, expected) => {
    expect(initFailure(outcome, 100)).toEqual(expected)
  })
})
