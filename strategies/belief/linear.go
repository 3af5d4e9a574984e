package belief

import (
	"math"
	"slices"
)

// Small dense matrices, row after row in one slice, and vectors, without a header or
// a copy: beliefs work on them for every question, and fits for every row, where the
// dimension is that of an embedding or a curve. What is as large as the population,
// and done once, is left to gonum.

// dot is the product of a and the head of b, in four sums that do not wait for one
// another.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	for len(a) >= 4 && len(b) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += v * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// dot2 is a.b and a.c, which reads a once.
func dot2(a, b, c []float64) (ab, ac float64) {
	b, c = b[:len(a)], c[:len(a)]
	var b0, b1, b2, b3, c0, c1, c2, c3 float64
	for len(a) >= 4 && len(b) >= 4 && len(c) >= 4 {
		b0 += a[0] * b[0]
		c0 += a[0] * c[0]
		b1 += a[1] * b[1]
		c1 += a[1] * c[1]
		b2 += a[2] * b[2]
		c2 += a[2] * c[2]
		b3 += a[3] * b[3]
		c3 += a[3] * c[3]
		a, b, c = a[4:], b[4:], c[4:]
	}
	for i, v := range a {
		b0 += v * b[i]
		c0 += v * c[i]
	}
	return (b0 + b1) + (b2 + b3), (c0 + c1) + (c2 + c3)
}

// add adds the head of src to dst, four entries at a time: this is where a fit
// spends its time.
func add(dst, src []float64) {
	src = src[:len(dst)]
	for len(dst) >= 4 && len(src) >= 4 {
		dst[0] += src[0]
		dst[1] += src[1]
		dst[2] += src[2]
		dst[3] += src[3]
		dst, src = dst[4:], src[4:]
	}
	for i, v := range src {
		dst[i] += v
	}
}

// axpy adds a x to dst.
func axpy(dst []float64, a float64, x []float64) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] += a * x[i]
	}
}

// softmax turns logits into probabilities in place and returns the log of their
// sum before that.
func softmax(x []float64) float64 {
	m := slices.Max(x)
	sum := 0.0
	for i, v := range x {
		x[i] = math.Exp(v - m)
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
	return m + math.Log(sum)
}

// quadratic is v'Av for a symmetric A, of which it reads the lower triangle.
func quadratic(a, v []float64) float64 {
	d, quad := len(v), 0.0
	for x, w := range v {
		row := a[x*d:][:x+1]
		sum := 0.0
		for y, r := range row[:x] {
			sum += r * v[y]
		}
		quad += w * (row[x]*w + 2*sum)
	}
	return quad
}

// multiply writes the product of two d x d matrices.
func multiply(dst, a, b []float64, d int) {
	clear(dst)
	for x := range d {
		row := dst[x*d:][:d]
		for z, v := range a[x*d:][:d] {
			other := b[z*d:][:d]
			for y := range row {
				row[y] += v * other[y]
			}
		}
	}
}

// orthonormal makes the rows of u orthonormal (Gram-Schmidt); a row that depends on
// those before becomes 0.
func orthonormal(u []float64, rows int) {
	n := len(u) / rows
	for i := range rows {
		a := u[i*n:][:n]
		for j := range i {
			b := u[j*n:][:n]
			p := dot(a, b)
			for x := range a {
				a[x] -= p * b[x]
			}
		}
		norm := math.Sqrt(dot(a, a))
		for x := range a {
			if norm > 1e-9 {
				a[x] /= norm
			} else {
				a[x] = 0
			}
		}
	}
}

// unpack writes a packed lower triangle to both halves of a square.
func unpack(dst, packed []float64, d int) {
	i := 0
	for x := range d {
		for y := range x + 1 {
			dst[x*d+y], dst[y*d+x] = packed[i], packed[i]
			i++
		}
	}
}

// cholesky writes the lower triangle L with LL' = a, d x d and positive definite, of
// which it reads the lower triangle, and returns ln |a|. L may be a. A pivot that
// rounding made too small counts as 1e-12.
func cholesky(l, a []float64, d int) float64 {
	logDet := 0.0
	for x := range d {
		for y := range x + 1 {
			sum := a[x*d+y]
			for z := range y {
				sum -= l[x*d+z] * l[y*d+z]
			}
			if x == y {
				sum = max(sum, 1e-12)
				logDet += math.Log(sum)
				l[x*d+x] = math.Sqrt(sum)
			} else {
				l[x*d+y] = sum / l[y*d+y]
			}
		}
	}
	return logDet
}

// solveLower turns b into L^-1 b.
func solveLower(l, b []float64) {
	d := len(b)
	for x := range d {
		sum := b[x]
		for y := range x {
			sum -= l[x*d+y] * b[y]
		}
		b[x] = sum / l[x*d+x]
	}
}

// solveUpper turns b into L'^-1 b.
func solveUpper(l, b []float64) {
	d := len(b)
	for x := d - 1; x >= 0; x-- {
		sum := b[x]
		for y := x + 1; y < d; y++ {
			sum -= l[y*d+x] * b[y]
		}
		b[x] = sum / l[x*d+x]
	}
}

// inverse writes (LL')^-1, symmetric. It overwrites L by its inverse.
func inverse(dst, l []float64, d int) {
	for x := range d { // row x of L^-1 needs the rows before it
		pivot := 1 / l[x*d+x]
		for y := range x {
			sum := 0.0
			for z := y; z < x; z++ {
				sum -= l[x*d+z] * l[z*d+y]
			}
			dst[y] = sum * pivot
		}
		copy(l[x*d:][:x], dst[:x])
		l[x*d+x] = pivot
	}
	for x := range d {
		for y := range x + 1 {
			sum := 0.0
			for z := x; z < d; z++ {
				sum += l[z*d+x] * l[z*d+y]
			}
			dst[x*d+y] = sum
		}
	}
	for x := range d {
		for y := range x {
			dst[y*d+x] = dst[x*d+y]
		}
	}
}
