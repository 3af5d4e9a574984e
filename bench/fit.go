package bench

import (
	"context"
	"fmt"
	"strings"

	"pepbench/strategies/belief"
)

// Fit fits one belief of an experiment on its training profiles, choosing on dev,
// without planning sessions. name may be empty where there is one belief only. The
// provenance says on what, for a model file.
func Fit(ctx context.Context, e *Experiment, name string, say func(string)) (belief.Model, belief.Provenance, error) {
	none := belief.Provenance{}
	if say == nil {
		say = func(string) {}
	}
	known := sortedKeys(e.Beliefs)
	if name == "" && len(known) == 1 {
		name = known[0]
	}
	k, ok := e.Beliefs[name]
	switch {
	case !ok:
		return nil, none, &ConfigError{What: fmt.Sprintf("no belief %q", name), Mend: "name one of beliefs: " + strings.Join(known, ", ")}
	case e.Split.Folds > 1:
		return nil, none, &ConfigError{What: "a cross-fitted experiment has a model for each fold", Mend: "add --set split.folds=0"}
	}
	var pr preparer
	d, key, err := pr.load(e, say)
	if err != nil {
		return nil, none, err
	}
	parts, err := e.splits(d)
	if err != nil {
		return nil, none, err
	}
	say(fmt.Sprintf("fitting belief %s (%s) on %d profiles", name, k.Kind, len(parts[0].Train)))
	m := pr.fit(ctx, e, k, key, e.fitInput(d, parts[0]))
	if m.err != nil {
		return nil, none, fmt.Errorf("belief %s: %w", name, m.err)
	}
	from := belief.Provenance{Data: strings.TrimSpace(d.Name + " " + d.Version), Split: e.trainSplit(), Profiles: len(parts[0].Train), Choice: m.tried, Code: Version()}
	for _, s := range d.Sources {
		from.Sources = append(from.Sources, s.SHA256)
	}
	return m.model, from, nil
}
