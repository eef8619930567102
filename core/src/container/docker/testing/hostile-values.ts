/** What somebody would write into a field who hopes that it becomes more than a value there. */
const attacks = [
  '--privileged',
  '--volume=/:/host',
  '-v /:/host:rw',
  '$(id)',
  '`id`',
  '; rm -rf /',
  '| cat /etc/shadow',
  '&& reboot',
  '../../../etc/passwd',
  '/var/run/docker.sock',
  '..%2f..%2fcontainers%2fcreate',
  '?Privileged=true&name=other',
  '#fragment',
  '\r\nPOST /containers/create HTTP/1.1\r\n\r\n',
  'x\nPrivileged: true',
  'a\0b',
  '"},"HostConfig":{"Privileged":true},"x":{"y":"',
  '","Privileged":true,"Env":["',
  '{"Privileged":true}',
  '["--cap-add","ALL"]',
  '__proto__',
  'constructor',
  'toString',
  'sluice.life',
  'sluice.installation=other',
  'LD_PRELOAD=/tmp/x.so',
  '__OW_API_HOST=http://evil.example',
  'host',
  'container:other',
  'none,exec,mode=4777',
  '/:exec,suid,dev,size=100g',
  'unconfined',
  'seccomp=unconfined',
  'SYS_ADMIN',
  '%s%n%x%p',
  '\u202e\u0000\uffff',
  '\ud800',
  '{{.HostConfig}}',
  '${HOME}',
  '\\\\.\\pipe\\docker_engine',
  '0',
  '-1',
  'NaN',
  '1e309',
  'true',
  'null',
  ' ',
  '',
]

/** `count` hostile texts, different from each other, the same ones for the same seed. */
export function hostileValues(count: number, seed: number): string[] {
  const values = new Set<string>(attacks)
  const next = numbers(seed)
  const pick = (): string => attacks[next(attacks.length)] ?? ''
  while (values.size < count) {
    const joined = Array.from({ length: 1 + next(4) }, pick).join(['', ' ', '\n', ',', '=', ':', '/'][next(7)])
    const bytes = Array.from({ length: next(12) }, () => String.fromCharCode(next(0x250))).join('')
    values.add(next(10) === 0 ? joined.padEnd(5000, 'A') : `${bytes}${joined}`)
  }
  return [...values].slice(0, count)
}

/** Whole numbers below a bound (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0 && Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below)
  }
}
