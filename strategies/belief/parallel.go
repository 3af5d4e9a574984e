package belief

import (
	"runtime"
	"sync"
)

// parallel calls f(0) .. f(n-1), which must not depend on one another, on as many
// goroutines as there are processors.
func parallel(n int, f func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range workers {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// blocks is the number of parts that rows are worked on in. As everywhere, the division
// depends on the number of rows only, so that sums are the same on any number of
// processors.
const blocks = 16

// block gives the rows of part k of n.
func block(rows, n, k int) (lo, hi int) { return rows * k / n, rows * (k + 1) / n }
