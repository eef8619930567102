/** What each figure should be: at most (`<=`) or at least (`>=`). */
export const targets = {
  'warm invoke, serial, p50 ms': ['<=', 1.5],
  'warm invoke, serial, p99 ms': ['<=', 8],
  'warm invoke, 50 in flight, per s': ['>=', 3500],
  'fire to action started at 100/s, p50 ms': ['<=', 4],
  'fire to action started at 100/s, p99 ms': ['<=', 20],
  'durable fires accepted at saturation, per s': ['>=', 4000],
  'actions run after the fires, working off, per s': ['>=', 2000],
  'cold start, p50 ms': ['<=', 120],
  'prewarmed start, p50 ms': ['<=', 20],
  'memory more with them, MB': ['<=', 60],
  'lateness (due to request written), p99 at most ms': ['<=', 100],
  'hub idle, MB': ['<=', 150],
  'second start, ms': ['<=', 1500],
  'list 200 of 100,000 activations, p99 ms': ['<=', 20],
  'list 200 by name, p99 ms': ['<=', 20],
  'get one of 100,000 activations, p99 ms': ['<=', 20],
}
