// Package cache keeps replies of language models in one SQLite file, so that a call
// that was made once is not paid for again and a run can be replayed by anyone.
//
//	c, err := cache.Open("results/cache.sqlite", true)
//	client := c.Wrap(next, conn, cache.Write)
//	reply, err := client.Complete(ctx, request) // reply.Cached: nothing was sent
//
//	key = SHA-256("pepbench-cache/<schema>\n" + canonical request)
//
// The canonical request holds all that a reply depends on: base URL, model,
// messages, parameters, wanted format and repeat index. It is stored beside the
// reply, so that a file explains itself and an import can verify every key. No key
// of an endpoint and no header is part of it.
//
// # What is kept
//
// Whole replies with text that the caller could read (llm.Request.Accept). Errors,
// refusals, replies cut off at the token limit or by a content filter, empty ones,
// tool calls and what Accept refuses are never stored: another try may do better,
// and a run in mode Read meets a miss there.
//
// # Several at once
//
// Equal calls in flight are sent once, within a process. Replies are written by one
// goroutine, a transaction for what comes within 50 ms; the process itself sees them
// at once, a crash loses the last batch at most, and Close writes what is left.
// Several processes on one machine may share a file (WAL, busy_timeout).
//
// WAL needs memory that all users of a file share, which no network file system
// gives. There, as far as it can be told (Linux), a file serves one process at a
// time and a second one is refused: give each shard a file of its own and join them
// by `pepbench cache import`.
package cache
