// Vercel's AI SDK with its provider for OpenAI-compatible servers, as it comes, against
// serve-sim. It has no call for the list of models.
import assert from 'node:assert/strict'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, Output, cosineSimilarity, embedMany, generateText, streamText } from 'ai'
import { z } from 'zod'
import { counting, failure, grade, run, solve } from './check.js'

globalThis.AI_SDK_LOG_WARNINGS = false
const { PLAIN, BUSY, LOCKED, KEY } = process.env
const provider = (baseURL, more) => createOpenAICompatible({ name: 'sim', baseURL, apiKey: 'any', includeUsage: true, supportsStructuredOutputs: true, ...more })
const sim = provider(PLAIN)
const model = sim('pepbench-sim')
const asked = (messages) => ({ system: messages[0].content, prompt: messages[1].content })

await run('ai sdk', {
  'chat': async () => {
    const r = await generateText({ model, ...asked(solve), temperature: 0, seed: 1 })
    assert.match(r.text, /^Answer: [AB]\. /)
    assert.equal(r.finishReason, 'stop')
    assert.ok(r.usage.inputTokens > 0 && r.usage.outputTokens > 0)
  },
  'streaming': async () => {
    const whole = await generateText({ model, ...asked(solve) })
    const s = streamText({ model, ...asked(solve) })
    let text = ''
    for await (const piece of s.textStream) text += piece
    assert.equal(text, whole.text)
    assert.equal(await s.finishReason, 'stop')
    assert.equal((await s.usage).outputTokens, whole.usage.outputTokens)
  },
  'embeddings': async () => {
    const { embeddings: [a, b, c] } = await embedMany({
      model: sim.embeddingModel('pepbench-sim'),
      values: ['boats sail in the harbour', 'the harbour is full of sailing boats', 'entropy of a mixture'],
    })
    assert.ok(cosineSimilarity(a, b) > cosineSimilarity(a, c) + 0.3)
  },
  'bad request, typed': async () => {
    const e = await failure(generateText({ model, ...asked(solve), maxOutputTokens: 10, maxRetries: 0, providerOptions: { sim: { n: 2 } } }))
    assert.ok(APICallError.isInstance(e), e)
    assert.equal(e.statusCode, 400)
    assert.match(e.message, /'n' must be 1/)
  },
  '429 with Retry-After tried again': async () => {
    const fetch = counting()
    const r = await generateText({ model: provider(BUSY, { fetch })('pepbench-sim'), ...asked(solve), topP: 0.5, maxRetries: 2 })
    assert.match(r.text, /^Answer: /)
    assert.equal(fetch.calls, 2)
  },
  '401, typed, and the key': async () => {
    const e = await failure(generateText({ model: provider(LOCKED, { apiKey: 'wrong' })('pepbench-sim'), ...asked(solve), maxRetries: 0 }))
    assert.ok(APICallError.isInstance(e), e)
    assert.equal(e.statusCode, 401)
    assert.match((await generateText({ model: provider(LOCKED, { apiKey: KEY })('pepbench-sim'), ...asked(solve) })).text, /^Answer: /)
  },
  'JSON by schema, parsed': async () => {
    const r = await generateText({ model, ...asked(grade), output: Output.object({ schema: z.object({ level: z.number(), reason: z.string() }) }) })
    assert.equal(r.output.level, 3)
  },
})
