package domains

// Hash is 64-bit FNV-1a over the parts, each ended by a zero byte. It turns ids
// into seeds of random sources (PCG), the same on every platform; it protects
// nothing.
func Hash(parts ...string) uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	for _, p := range parts {
		for i := 0; i < len(p); i++ {
			h = (h ^ uint64(p[i])) * prime
		}
		h *= prime
	}
	return h
}
