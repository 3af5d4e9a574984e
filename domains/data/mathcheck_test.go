package data_test

import (
	"math"
	"math/big"
	"math/bits"
	"os"
	"testing"

	"gopkg.in/yaml.v3"
)

// mathPermute calls f with every ordering of 0..n-1. f must not keep the slice.
func mathPermute(n int, f func(p []int)) {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	var walk func(k int)
	walk = func(k int) {
		if k == n {
			f(p)
			return
		}
		for i := k; i < n; i++ {
			p[k], p[i] = p[i], p[k]
			walk(k + 1)
			p[k], p[i] = p[i], p[k]
		}
	}
	walk(0)
}

// mathCount returns how many of the integers lo..hi have the property.
func mathCount(lo, hi int, ok func(n int) bool) int {
	c := 0
	for n := lo; n <= hi; n++ {
		if ok(n) {
			c++
		}
	}
	return c
}

func mathGCD(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	if a < 0 {
		return -a
	}
	return a
}

// mathPowMod is b^e modulo m by e plain multiplications.
func mathPowMod(b, e, m int) int {
	r := 1 % m
	for i := 0; i < e; i++ {
		r = r * b % m
	}
	return r
}

// mathLowest is the numerator plus the denominator of a/b in lowest terms.
func mathLowest(a, b int) int {
	g := mathGCD(a, b)
	return a/g + b/g
}

// mathWhole rounds x, and returns -1 if x is no whole number within a small tolerance.
func mathWhole(x float64) int {
	r := math.Round(x)
	if math.Abs(x-r) > 1e-6 {
		return -1
	}
	return int(r)
}

// mathLeast finds the minimum of a convex function on [lo, hi].
func mathLeast(lo, hi float64, f func(float64) float64) float64 {
	for i := 0; i < 300; i++ {
		a, b := lo+(hi-lo)/3, hi-(hi-lo)/3
		if f(a) < f(b) {
			hi = b
		} else {
			lo = a
		}
	}
	return f((lo + hi) / 2)
}

// mathIsPower says whether n is a perfect k-th power.
func mathIsPower(n, k int) bool {
	for b := 1; ; b++ {
		p := 1
		for i := 0; i < k; i++ {
			p *= b
		}
		if p >= n {
			return p == n
		}
	}
}

var mathChecks = map[string]func() int{
	"mat01": func() int { // all 5040 seatings; people 4, 5, 6 are the painters
		c := 0
		mathPermute(7, func(p []int) {
			if p[0] >= 4 || p[6] >= 4 {
				return
			}
			for i := 1; i < 7; i++ {
				if p[i-1] >= 4 && p[i] >= 4 {
					return
				}
			}
			c++
		})
		return c
	},
	"mat02": func() int {
		return (mathPowMod(7, 2027, 1024) + mathPowMod(9, 2027, 1024)) % 1024
	},
	"mat03": func() int { // corner above the side of 56, by coordinates; the smallest of the three heights
		a, b, c := 25.0, 39.0, 56.0
		x := (a*a + c*c - b*b) / (2 * c)
		y := math.Sqrt(a*a - x*x)
		h := y
		for _, side := range []float64{a, b} {
			h = math.Min(h, c*y/side)
		}
		return mathWhole(h)
	},
	"mat04": func() int { // trace of the cube of the companion matrix
		m := [3][3]int{{0, 0, 7}, {1, 0, -5}, {0, 1, 6}}
		p := m
		for range 2 {
			var q [3][3]int
			for i := range 3 {
				for j := range 3 {
					for k := range 3 {
						q[i][j] += p[i][k] * m[k][j]
					}
				}
			}
			p = q
		}
		return p[0][0] + p[1][1] + p[2][2]
	},
	"mat05": func() int {
		return mathCount(0, 1<<12-1, func(s int) bool { return s&(s>>1)&(s>>2) == 0 })
	},
	"mat06": func() int {
		return mathCount(1, 1000, func(n int) bool { return (n*n+n+1)%21 == 0 })
	},
	"mat07": func() int { // search whole feet positions with the exact Pythagorean relation
		top := 0
		for top*top+16*16 < 65*65 {
			top++
		}
		for foot := 16; foot <= 65; foot++ {
			if foot*foot+(top-7)*(top-7) == 65*65 {
				return foot - 16
			}
		}
		return -1
	},
	"mat08": func() int {
		a, b, sum := 8, 13, 0
		for range 2027 {
			sum += a
			a, b = b, b-a
		}
		return sum
	},
	"mat09": func() int { // least representative of each orbit
		c := 0
		for code := range 6561 {
			var v [8]int
			for i, n := 0, code; i < 8; i, n = i+1, n/3 {
				v[i] = n % 3
			}
			ok := true
			for i := range 8 {
				if v[i] == v[(i+1)%8] {
					ok = false
				}
			}
			for r := 1; ok && r < 8; r++ {
				other := 0
				for i := 7; i >= 0; i-- {
					other = other*3 + v[(i+r)%8]
				}
				if other < code {
					ok = false
				}
			}
			if ok {
				c++
			}
		}
		return c
	},
	"mat10": func() int {
		found := -1
		for n := 1; n < 500; n++ {
			if n%7 == 3 && n%8 == 5 && n%9 == 1 {
				if found >= 0 {
					return -1
				}
				found = n
			}
		}
		return found
	},
	"mat11": func() int {
		side := func(ax, ay, bx, by, x, y int) int { return (bx-ax)*(y-ay) - (by-ay)*(x-ax) }
		c := 0
		for x := 0; x <= 20; x++ {
			c += mathCount(0, 30, func(y int) bool {
				return side(0, 0, 20, 6, x, y) > 0 && side(20, 6, 8, 30, x, y) > 0 && side(8, 30, 0, 0, x, y) > 0
			})
		}
		return c
	},
	"mat12": func() int { // minute by minute; the full reservoir is 3600 parts
		level, minute := 0, 0
		for level < 3600 {
			level += 5 - 3
			if minute >= 180 {
				level += 4
			}
			minute++
		}
		return minute
	},
	"mat13": func() int {
		good, all := 0, 0
		for a := 1; a <= 12; a++ {
			for b := a + 1; b <= 12; b++ {
				for c := b + 1; c <= 12; c++ {
					all++
					if a*b*c%6 == 0 {
						good++
					}
				}
			}
		}
		return mathLowest(good, all)
	},
	"mat14": func() int {
		sum := 0
		for d := 1; d <= 2160; d++ {
			if 2160%d == 0 && d%12 == 0 && d%24 != 0 {
				sum += d
			}
		}
		return sum
	},
	"mat15": func() int { // start corner and side vector turning one way: every square is met four times
		c := 0
		in := func(v int) bool { return v >= 0 && v < 6 }
		for x := range 6 {
			for y := range 6 {
				for dx := -5; dx <= 5; dx++ {
					for dy := -5; dy <= 5; dy++ {
						if (dx != 0 || dy != 0) && in(x+dx) && in(y+dy) && in(x-dy) && in(y+dx) && in(x+dx-dy) && in(y+dy+dx) {
							c++
						}
					}
				}
			}
		}
		return c / 4
	},
	"mat16": func() int {
		c := 0
		for a := 1; a < 60; a++ {
			c += mathCount(1, 59, func(p int) bool { return 60-a-p >= 1 && 9*a+7*p+4*(60-a-p) == 348 })
		}
		return c
	},
	"mat17": func() int {
		var ways [7][7]int
		for x := range 7 {
			for y := range 7 {
				switch {
				case x == 0 && y == 0:
					ways[x][y] = 1
				case x == 3 && y == 3:
					ways[x][y] = 0
				default:
					if x > 0 {
						ways[x][y] += ways[x-1][y]
					}
					if y > 0 {
						ways[x][y] += ways[x][y-1]
					}
				}
			}
		}
		return ways[6][6]
	},
	"mat18": func() int {
		return mathCount(100, 999, func(n int) bool {
			a, b, c := n/100, n/10%10, n%10
			return a != b && b != c && a != c && 100*c+10*b+a == n+396
		})
	},
	"mat19": func() int { // straight segments over two faces, bent at the best point of the shared edge
		best := math.Inf(1)
		dims := []float64{8, 12, 21}
		for e := range 3 { // the edge crossed runs along e; o and q are the other two directions
			for _, oq := range [][2]int{{(e + 1) % 3, (e + 2) % 3}, {(e + 2) % 3, (e + 1) % 3}} {
				o, q := dims[oq[0]], dims[oq[1]]
				best = math.Min(best, mathLeast(0, dims[e], func(t float64) float64 {
					return math.Hypot(t, o) + math.Hypot(dims[e]-t, q)
				}))
			}
		}
		return mathWhole(best)
	},
	"mat20": func() int { // build up the function, then test the identity on it
		f := make([]int, 41)
		f[1] = 3
		for n := 1; n < 40; n++ {
			f[n+1] = f[n] + f[1] + 4*n
		}
		for m := 1; m <= 20; m++ {
			for n := 1; n <= 20; n++ {
				if f[m+n] != f[m]+f[n]+4*m*n {
					return -1
				}
			}
		}
		return f[20]
	},
	"mat21": func() int {
		c := 0
		for code := range 1296 {
			if code%6+code/6%6+code/36%6+code/216+4 == 15 {
				c++
			}
		}
		return c
	},
	"mat22": func() int {
		p := big.NewInt(1)
		for k := int64(5); k <= 500; k += 5 {
			p.Mul(p, big.NewInt(k))
		}
		s := p.String()
		z := 0
		for s[len(s)-1-z] == '0' {
			z++
		}
		return z
	},
	"mat23": func() int { // shoelace formula on the points (0,0), (d,0), (d,16), (0,9) with centre distance 25
		d := 0
		for d*d+(16-9)*(16-9) < (16+9)*(16+9) {
			d++
		}
		xs, ys := []int{0, d, d, 0}, []int{0, 0, 16, 9}
		twice := 0
		for i := range xs {
			j := (i + 1) % 4
			twice += xs[i]*ys[j] - xs[j]*ys[i]
		}
		return twice / 2
	},
	"mat24": func() int {
		sum := new(big.Rat)
		for k := int64(1); k <= 30; k++ {
			sum.Add(sum, big.NewRat(2, k*(k+2)))
		}
		return int(new(big.Int).Add(sum.Num(), sum.Denom()).Int64())
	},
	"mat25": func() int {
		c := 0
		mathPermute(6, func(p []int) {
			fixed := 0
			for i, v := range p {
				if i == v {
					fixed++
				}
			}
			if fixed == 2 {
				c++
			}
		})
		return c
	},
	"mat26": func() int {
		g := 0
		for p := 11; p < 1000; p++ {
			prime := mathCount(2, p-1, func(d int) bool { return p%d == 0 }) == 0
			if prime {
				g = mathGCD(g, p*p*p*p*p*p-1)
			}
		}
		return g
	},
	"mat27": func() int { // an inscribed angle is half the arc that it faces
		c := 0
		for i := range 15 {
			for j := i + 1; j < 15; j++ {
				for k := j + 1; k < 15; k++ {
					if 2*max(j-i, k-j, 15-k+i) > 15 {
						c++
					}
				}
			}
		}
		return c
	},
	"mat28": func() int { // sign changes of log3 of both sides over x = 3^y, then bisection
		f := func(y float64) float64 {
			x := math.Pow(3, y)
			return math.Log(x)*math.Log(x)/math.Log(3) - math.Log(81*x*x*x)
		}
		product := 1.0
		for i := -2000; i < 2000; i++ {
			lo, hi := float64(i)/100+0.005, float64(i+1)/100+0.005
			if f(lo)*f(hi) >= 0 {
				continue
			}
			for range 100 {
				if mid := (lo + hi) / 2; f(lo)*f(mid) <= 0 {
					hi = mid
				} else {
					lo = mid
				}
			}
			product *= math.Pow(3, lo)
		}
		return mathWhole(product)
	},
	"mat29": func() int { // place the letters one by one from the stock
		stock := map[byte]int{}
		for _, l := range []byte("PEPPERCORN") {
			stock[l]++
		}
		var words func(left int, last byte) int
		words = func(left int, last byte) int {
			if left == 0 {
				return 1
			}
			n := 0
			for _, l := range []byte("PERCON") {
				if stock[l] == 0 || l == 'P' && last == 'P' {
					continue
				}
				stock[l]--
				n += words(left-1, l)
				stock[l]++
			}
			return n
		}
		return words(10, 0)
	},
	"mat30": func() int {
		reach := make([]bool, 400)
		reach[0] = true
		last := 0
		for n := 1; n < len(reach); n++ {
			for _, b := range []int{8, 11, 15} {
				if n >= b && reach[n-b] {
					reach[n] = true
				}
			}
			if !reach[n] {
				last = n
			}
		}
		return last
	},
	"mat31": func() int {
		c := 0
		for x := range 7 {
			for y := range 8 {
				for z := range 9 {
					faces := 0
					for _, painted := range []bool{x == 0, x == 6, y == 0, y == 7, z == 8} {
						if painted {
							faces++
						}
					}
					if faces == 2 {
						c++
					}
				}
			}
		}
		return c
	},
	"mat32": func() int {
		return mathCount(-500, 500, func(k int) bool {
			for r := -36; r <= 36; r++ {
				if r*r+k*r+36 == 0 { // the other root is -k-r, an integer too
					return true
				}
			}
			return false
		})
	},
	"mat33": func() int {
		return mathCount(0, 1023, func(s int) bool {
			sum := 0
			for k := 1; k <= 10; k++ {
				sum += k * (s >> (k - 1) & 1)
			}
			return sum%5 == 0
		})
	},
	"mat34": func() int {
		return mathCount(1, 728, func(n int) bool {
			var digits [3]int
			for ; n > 0; n /= 3 {
				digits[n%3]++
			}
			return digits[1] == digits[2]
		})
	},
	"mat35": func() int { // points of the long edges equally far from both corners, found by bisection
		lo, hi := 0.0, 48.0
		for range 200 {
			mid := (lo + hi) / 2
			if mid < math.Hypot(48-mid, 36) { // distances of (mid, 0) from (0, 0) and (48, 36)
				lo = mid
			} else {
				hi = mid
			}
		}
		return mathWhole(math.Hypot(48-2*lo, 36)) // by symmetry the other end is (48-lo, 36)
	},
	"mat36": func() int {
		way, h := 243, 243
		for hits := 1; hits < 5; hits++ {
			h = h * 2 / 3
			way += 2 * h
		}
		return way
	},
	"mat37": func() int { // every placing of the six faulty bulbs among the twenty places
		total, all := 0, 0
		for s := 0; s < 1<<20; s++ {
			if bits.OnesCount(uint(s)) != 6 {
				continue
			}
			rest := s & (s - 1)
			rest &= rest - 1
			total += bits.TrailingZeros(uint(rest)) + 1
			all++
		}
		if total%all != 0 {
			return -1
		}
		return total / all
	},
	"mat38": func() int {
		fact := 1
		for k := 2; k <= 10; k++ {
			fact *= k
		}
		return mathCount(1, fact, func(d int) bool { return fact%d == 0 && (mathIsPower(d, 2) || mathIsPower(d, 3)) })
	},
	"mat39": func() int {
		c := 0
		for x := -34; x <= 34; x++ {
			c += mathCount(-34, 34, func(y int) bool { return x*x+y*y == 1105 })
		}
		return c
	},
	"mat40": func() int { // they are at one spot when the metres run add up to whole laps; whole seconds suffice as 440/11 = 40
		meetings := 0
		for t := 1; ; t++ {
			if (7*t+4*t)%440 == 0 {
				meetings++
				if 7*t%440 == 0 && 4*t%440 == 0 {
					return meetings
				}
			}
		}
	},
	"mat41": func() int { // fill the first free cell in every possible way
		var busy [2][9]bool
		var fill func(cell int) int
		fill = func(cell int) int {
			for cell < 18 && busy[cell%2][cell/2] {
				cell++
			}
			if cell == 18 {
				return 1
			}
			r, c := cell%2, cell/2
			n := 0
			try := func(h, w int) {
				if r+h > 2 || c+w > 9 {
					return
				}
				for i := r; i < r+h; i++ {
					for j := c; j < c+w; j++ {
						if busy[i][j] {
							return
						}
					}
				}
				set := func(v bool) {
					for i := r; i < r+h; i++ {
						for j := c; j < c+w; j++ {
							busy[i][j] = v
						}
					}
				}
				set(true)
				n += fill(cell)
				set(false)
			}
			try(1, 2)
			try(2, 1)
			try(2, 2)
			return n
		}
		return fill(0)
	},
	"mat42": func() int {
		return mathCount(1, 24*60, func(t int) bool {
			lines := 0
			for _, gap := range []int{14, 18, 21} {
				if t%gap == 0 {
					lines++
				}
			}
			return lines >= 2
		})
	},
	"mat43": func() int {
		c := 0
		for a := 1; a < 60; a++ {
			c += mathCount(a+1, 60, func(b int) bool { return 60-a-b > b && a+b > 60-a-b })
		}
		return c
	},
	"mat44": func() int {
		return mathWhole(-mathLeast(0, 90, func(x float64) float64 { return -x * (360 - 4*x) }))
	},
	"mat45": func() int { // sister two sits at any of 63 places; to meet, both must win all bouts before
		p := new(big.Rat)
		for place := int64(1); place < 64; place++ {
			before := int64(bits.Len(uint(place)) - 1)
			p.Add(p, big.NewRat(1, 63*(1<<(2*before))))
		}
		return int(new(big.Int).Add(p.Num(), p.Denom()).Int64())
	},
	"mat46": func() int {
		sum, f := 0, 1
		for k := 1; k <= 24; k++ {
			f = f * k % 1000
			sum += k * f
		}
		return sum % 1000
	},
	"mat47": func() int { // plane through (75,0,0), (0,80,0), (0,0,100) by the cross product
		nx, ny, nz := 80.0*100, 75.0*100, 75.0*80
		return mathWhole(nx * 75 / math.Sqrt(nx*nx+ny*ny+nz*nz))
	},
	"mat48": func() int { // either factor of (x-3)(y-5)=60 is at most 60 in size
		c := 0
		for x := 1; x <= 100; x++ {
			c += mathCount(1, 100, func(y int) bool { return x*y-5*x-3*y == 45 })
		}
		return c
	},
}

func TestMathAnswersByComputation(t *testing.T) {
	raw, err := os.ReadFile("math/tasks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tasks []struct {
			ID     string `yaml:"id"`
			Answer *int   `yaml:"answer"`
		} `yaml:"tasks"`
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Tasks) == 0 {
		t.Fatal("math/tasks.yaml holds no tasks")
	}
	seen := map[string]bool{}
	for _, task := range file.Tasks {
		if seen[task.ID] {
			t.Errorf("%s: occurs twice", task.ID)
		}
		seen[task.ID] = true
		check, ok := mathChecks[task.ID]
		if !ok {
			t.Errorf("%s: no check", task.ID)
			continue
		}
		if task.Answer == nil {
			t.Errorf("%s: no answer", task.ID)
			continue
		}
		if *task.Answer < 0 || *task.Answer > 999999 {
			t.Errorf("%s: answer %d is out of range", task.ID, *task.Answer)
		}
		if got := check(); got != *task.Answer {
			t.Errorf("%s: computed %d, the file says %d", task.ID, got, *task.Answer)
		}
	}
	for id := range mathChecks {
		if !seen[id] {
			t.Errorf("%s: a check without a task", id)
		}
	}
}
