package reports

import "fmt"

// Colors gives the colour of every Base in the figures, as #rrggbb, so that pages beside
// them can use the same ones. Floor and ceiling, which figures draw in grey, have none.
func Colors(m *Metrics) map[string]string {
	out := map[string]string{}
	for base, l := range looks(m) {
		out[base] = fmt.Sprintf("#%02x%02x%02x", l.color.R, l.color.G, l.color.B)
	}
	return out
}
