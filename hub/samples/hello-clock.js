/** Runs every ten seconds: alarms -> every-10-seconds -> tell-the-time -> hello-clock. */
function main({ greeting = 'Hello' }) {
  const time = new Date().toISOString()
  console.log(`${greeting} at ${time}`)
  return { greeting, time }
}
