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
// Whole replies with text that the caller could read (llm.Request.Accept) answer any
// later run. All other replies - refusals, those cut off at the token limit or by a
// content filter, empty ones, tool calls, and what Accept refuses - are stored with a
// mark, as evidence of what a run was told and for nothing else: mode Read gives them
// as they were, so that llm.Ask repairs or gives up as it did; any other run asks
// again, and is not held to what an earlier one could not use.
//
// Calls that failed (transport, status 5xx) or that the server refused (status 4xx, a
// conversation too long for the context) have no reply and are not stored. A replay of
// a run that met one at the end of its retries meets a miss there, whose error names
// the call.
//
// # One run, one reply
//
// Within a run a request that was answered, usable or not, is answered the same to the
// end: it is sent once, by whichever session is first, and equal ones get that reply.
// (Only calls of Fresh are sent each time; calls without a reply, too.) Therefore one
// reply a request is enough to repeat the run: a replay gives each session what it got.
// The alternative, asking again for the next session, would leave one of two replies
// out of the file, and the replay would be of a run that never was.
//
// What a run is, Cache.Run says. The runner keeps its number beside the results until
// the run is complete, so that a run which is interrupted and goes on is one run, and
// so are the cells of a sweep. In mode Refresh what this run has sent is not sent again.
//
// The file has what the last run that sent a request was told: a usable reply takes
// the place of an unusable one, and an unusable one that of
//
//   - an unusable one of an earlier run;
//   - a usable one that the run did not take: in mode Refresh, by Fresh, or because its
//     Accept refuses it.
//
// A replay repeats the last run, then; one that is to be repeated after further runs
// is exported when it is complete, or has a file of its own. What several processes
// are told for one request at the same time, shards for instance, can differ where
// some of it is unusable: the usable one stays, and a replay gives it to all.
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
