// What both clients are tried with: prompts that the simulator knows, and a checklist.
import assert from 'node:assert/strict'

export const solve = [
  { role: 'system', content: 'Answer the task for the reader.' },
  { role: 'user', content: 'Task:\nWhich way is the harbour?\nA) left\nB) right\n\nThis reader wants:\n- Brevity: much\n' },
]

export const grade = [
  { role: 'system', content: 'Reply with JSON: {"level": n, "reason": "..."}' },
  { role: 'user', content: 'Response:\n<<<\nThe boats are told of at length.\n>>>\n\nCriterion: Boats\nLevels, from least to most:\n1. no boats\n2. a word on boats\n3. boats at length\n' },
]

export const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['level', 'reason'],
  properties: { level: { type: 'integer' }, reason: { type: 'string' } },
}

// counting gives a fetch that counts its calls.
export function counting() {
  const f = (...args) => {
    f.calls++
    return fetch(...args)
  }
  f.calls = 0
  return f
}

export const cosine = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0)

// run tries one thing after another and says which failed; the exit code is 1 if any did.
export async function run(client, checks) {
  for (const [what, check] of Object.entries(checks)) {
    try {
      await check()
      console.log(`ok    ${client}: ${what}`)
    } catch (e) {
      console.log(`FAIL  ${client}: ${what}: ${e.message}`)
      process.exitCode = 1
    }
  }
}

// failure gives the error that a call ends with.
export async function failure(promise) {
  try {
    await promise
  } catch (e) {
    return e
  }
  assert.fail('no error')
}
