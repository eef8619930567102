import type { Answers, Programs } from '@sluice/runtime-contract'

/** What Python actions are in the suite that every runtime passes, and what this runtime answers in its own words. */
export const programs: Programs = {
  echo: `import sys
def main(args):
    print('hello stdout')
    print('hello stderr', file=sys.stderr)
    return args
`,
  silentEcho: 'def main(args):\n    return args\n',
  niam: 'def niam(args): return args',
  archive: { '__main__.py': 'def main(args):\n    return args\n' },
  variables: names => `import os\ndef main(args): return {name: os.environ[name] for name in ${JSON.stringify(names)}}`,
  variablesAtLoad: 'import os\nseen = dict(os.environ)\ndef main(args): return seen',
  returnsText: 'def main(args): return "not a json object"',
  winter: `
def main(args):
    winter = args['delimiter'] + ' ☃ ' + args['delimiter']
    print(winter)
    return {'winter': winter}
`,
  wraps: 'def main(args): return {"args": args}',
  returnsList: 'def main(args): return ["a", "b"]',
  returnsError: 'def main(args): return {"error": "sorry"}',
  returnsNothing: 'def main(args): pass',
  prints: `import sys
print('loading')
def main(args):
    print(args['n'])
    print(-args['n'], file=sys.stderr)
`,
  writes: `import os, sys
def main(args):
    sys.stdout.write(args['text'])
    os.write(2, args['text'].encode())
`,
  muchOutput: `def main(args):
    for i in range(5 * 1024):
        print('x' * 1023)
    return {'result': 'y' * (1024 * 1024)}
`,
  measures: `import os, resource
def main(args):
    kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {'bytes': kb * 1024, 'descriptors': len(os.listdir('/proc/self/fd'))}
`,
  slow: `import time
def main(args):
    print('begun', flush=True)
    time.sleep(0.5)
    return {'n': 1}
`,
  slowIfTold: `import time
def main(args):
    if not args.get('wait'):
        return {'next': True}
    print('begun', flush=True)
    time.sleep(0.5)
`,
}

const noBinary = 'The action failed to generate or locate a binary. See logs for details.'

export const answers: Answers = {
  initialised: '{"ok":true}\n',
  initialisedAgain: 'Cannot initialize the action more than once.',
  uninitialised: { status: 500, error: 'no action defined yet' },
  noDictionary: 'The action did not return a dictionary or array.',
  noMethod: { status: 405, error: 'Method not allowed.' },
  noPath: { status: 404, error: 'Not found.' },
  badInits: ['{', '{"value":12}', '{"value":{"code":12}}'],
  badInit: { status: 400, error: /^Error unmarshaling request: ./ },
  badZip: noBinary,
  badTar: noBinary,
}
