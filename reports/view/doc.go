// Package view serves finished, or unfinished, runs to a browser on this machine, so
// that single sessions can be looked into.
//
//	manifest.json                 \
//	sessions.jsonl, .index         > Open > Viewer > Serve > http://127.0.0.1:PORT/
//	metrics.json, report.html      /
//
// Of the sessions only the index (record.Index) is in memory; a session is read from its
// place in the file when somebody opens it. Where there is no index, or a stale one, the
// server is there at once, and the index is built meanwhile and put beside the sessions,
// or kept in memory where it cannot be. A file that changes is noticed, and indexed again.
//
//	v, err := view.Open("results/medical", "results/other")
//	l, err := net.Listen("tcp", "127.0.0.1:0")
//	err = v.Serve(ctx, l) // until ctx ends; nothing it started is left then
//
// The page is embedded: plain HTML, CSS and JavaScript, which load nothing from anywhere
// else. It reads an API of JSON, GET only:
//
//	/api/runs                        runs in the order given, and how far their indexes are
//	/api/runs/R                      what run R was: warnings, headline, provenance
//	/api/runs/R/sessions?FILTER      page of the list, counts of every value that could be filtered by,
//	                                 histogram of alignment
//	/api/runs/R/session?id=ID&FILTER one session as it stands in the file, its neighbours in the list,
//	                                 and the sessions of other strategies on the same case
//	/api/compare?a=R&b=S             sessions of two runs with the same id
//	/runs/R/report.html              the report of the run, in a sandbox
//
// FILTER is strategy, task, user, seed, stop, state (graded, undefined, failed), answer
// (right, wrong, unknown), each any number of times; from and to (alignment, 0..100); q
// (parts of an id, all of which must be there); sort (id, alignment, questions, or one of
// them after a minus sign), offset and limit.
//
// Whatever a run holds is text to the page and never markup. The server answers to names
// of this machine only, so that no page elsewhere can have itself resolved to it, sends no
// header that would let other origins read, and forbids the page whatever it does not need
// (Content-Security-Policy).
//
// An alignment that is undefined is a null with its reason in the session, never a 0; its
// sessions sort after all others, and ranges of alignment leave them out.
package view
