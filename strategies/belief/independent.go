package belief

// An Independent model may have come out with nothing that connects criteria: one
// class, no dimension.
type Independent interface {
	// Independent reports whether no answer teaches anything about another criterion.
	Independent() bool
}

// Independent implements the interface of this name.
func (m *LatentClass) Independent() bool { return m.k == 1 }

// Independent implements the interface of this name.
func (m *Graded) Independent() bool { return m.dims == 0 }

// Independent implements the interface of this name.
func (m *Factor) Independent() bool { return m.d == 0 }

// Independent implements the interface of this name.
func (m *BLR) Independent() bool { return m.d == 0 }

// Independent implements the interface of this name.
func (m *MixtureOfFactors) Independent() bool { return len(m.class) == 1 && m.class[0].d == 0 }

// Independent implements the interface of this name.
func (m *Released) Independent() bool { return m.rule == RuleUniform || m.rule == RulePrior }

var (
	_ Independent = (*LatentClass)(nil)
	_ Independent = (*Graded)(nil)
	_ Independent = (*Factor)(nil)
	_ Independent = (*BLR)(nil)
	_ Independent = (*MixtureOfFactors)(nil)
	_ Independent = (*Released)(nil)
)
