// The official client, as it comes, against serve-sim.
import assert from 'node:assert/strict'
import OpenAI from 'openai'
import { cosine, counting, failure, grade, run, schema, solve } from './check.js'

const { PLAIN, BUSY, LOCKED, KEY } = process.env
const client = new OpenAI({ baseURL: PLAIN, apiKey: 'any', maxRetries: 0 })
const model = 'pepbench-sim'

await run('openai', {
  'chat': async () => {
    const c = await client.chat.completions.create({ model, messages: solve, temperature: 0, seed: 1, metadata: { a: 'b' }, store: true })
    assert.match(c.choices[0].message.content, /^Answer: [AB]\. /)
    assert.equal(c.choices[0].finish_reason, 'stop')
    assert.equal(c.usage.total_tokens, c.usage.prompt_tokens + c.usage.completion_tokens)
  },
  'reply cut at max_tokens': async () => {
    const c = await client.chat.completions.create({ model, messages: solve, max_completion_tokens: 2 })
    assert.equal(c.choices[0].finish_reason, 'length')
    assert.equal(c.usage.completion_tokens, 2)
  },
  'streaming': async () => {
    const whole = await client.chat.completions.create({ model, messages: solve })
    const s = await client.chat.completions.create({ model, messages: solve, stream: true, stream_options: { include_usage: true } })
    let text = '', usage, finish, first
    for await (const chunk of s) {
      first ??= chunk.choices[0].delta
      text += chunk.choices[0]?.delta.content ?? ''
      finish = chunk.choices[0]?.finish_reason ?? finish
      usage = chunk.usage ?? usage
    }
    assert.equal(first.role, 'assistant')
    assert.equal(text, whole.choices[0].message.content)
    assert.equal(finish, 'stop')
    assert.deepEqual(usage, whole.usage)
  },
  'streaming by its helper': async () => {
    const whole = await client.chat.completions.create({ model, messages: solve })
    const text = await client.chat.completions.stream({ model, messages: solve }).finalContent()
    assert.equal(text, whole.choices[0].message.content)
  },
  'models listed and retrieved': async () => {
    const ids = []
    for await (const m of client.models.list()) ids.push(m.id)
    assert.deepEqual(ids, [model])
    assert.equal((await client.models.retrieve(model)).id, model)
    const e = await failure(client.models.retrieve('no/such'))
    assert.ok(e instanceof OpenAI.NotFoundError)
    assert.equal(e.code, 'model_not_found')
  },
  'embeddings (base64 by default, decimals, dimensions)': async () => {
    const input = ['boats sail in the harbour', 'the harbour is full of sailing boats', 'entropy of a mixture']
    const e = await client.embeddings.create({ model, input })
    assert.equal(e.data.length, 3)
    assert.equal(e.data[0].embedding.length, 256)
    const [a, b, c] = e.data.map((d) => d.embedding)
    assert.ok(cosine(a, b) > cosine(a, c) + 0.3)
    const f = await client.embeddings.create({ model, input, encoding_format: 'float' })
    assert.ok(Math.abs(cosine(a, f.data[0].embedding) - 1) < 1e-5)
    assert.equal((await client.embeddings.create({ model, input: 'x', dimensions: 8 })).data[0].embedding.length, 8)
  },
  'bad request, typed': async () => {
    const e = await failure(client.chat.completions.create({ model, messages: solve, n: 2 }))
    assert.ok(e instanceof OpenAI.BadRequestError)
    assert.deepEqual([e.status, e.type, e.param, e.code], [400, 'invalid_request_error', 'n', 'unsupported_value'])
  },
  'unknown path, typed': async () => {
    const e = await failure(client.completions.create({ model, prompt: 'x' }))
    assert.ok(e instanceof OpenAI.NotFoundError)
  },
  '429 with Retry-After tried again': async () => {
    const fetch = counting()
    const busy = new OpenAI({ baseURL: BUSY, apiKey: 'any', maxRetries: 2, fetch })
    const begun = Date.now()
    const c = await busy.chat.completions.create({ model, messages: solve })
    assert.match(c.choices[0].message.content, /^Answer: /)
    assert.equal(fetch.calls, 2)
    assert.ok(Date.now() - begun >= 950, `after ${Date.now() - begun} ms`)
  },
  '429 without a retry, typed': async () => {
    const busy = new OpenAI({ baseURL: BUSY, apiKey: 'any', maxRetries: 0 })
    const e = await failure(busy.chat.completions.create({ model, messages: grade }))
    assert.ok(e instanceof OpenAI.RateLimitError)
    assert.equal(e.headers.get('retry-after'), '1')
    assert.equal(e.code, 'rate_limit_exceeded')
  },
  '401, typed, and the key': async () => {
    const e = await failure(new OpenAI({ baseURL: LOCKED, apiKey: 'wrong', maxRetries: 0 }).models.list())
    assert.ok(e instanceof OpenAI.AuthenticationError)
    assert.equal(e.code, 'invalid_api_key')
    const ids = (await new OpenAI({ baseURL: LOCKED, apiKey: KEY }).models.list()).data
    assert.equal(ids.length, 1)
  },
  'JSON mode': async () => {
    const c = await client.chat.completions.create({ model, messages: grade, response_format: { type: 'json_object' } })
    assert.equal(JSON.parse(c.choices[0].message.content).level, 3)
  },
  'JSON by schema, parsed': async () => {
    const c = await client.chat.completions.parse({ model, messages: grade, response_format: { type: 'json_schema', json_schema: { name: 'grade', strict: true, schema } } })
    assert.equal(c.choices[0].message.parsed.level, 3)
  },
})
