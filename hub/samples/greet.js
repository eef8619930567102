/** Runs for every event on the trigger `webhook`, and whenever it is invoked. */
function main({ name = 'stranger' }) {
  console.log(`greeting ${name}`)
  return { greeting: `Hello ${name}!` }
}
