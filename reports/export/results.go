package export

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"

	"pepbench/bench/record"
	"pepbench/reports"
)

// harness is the version of lm-evaluation-harness whose shape results have.
const harness = "0.4.9.1"

// results is the results file of lm-evaluation-harness.
type results struct {
	Results       map[string]map[string]any  `json:"results"`
	GroupSubtasks map[string][]string        `json:"group_subtasks"`
	Configs       map[string]taskConfig      `json:"configs"`
	Versions      map[string]any             `json:"versions"`
	NShot         map[string]int             `json:"n-shot"`
	HigherBetter  map[string]map[string]bool `json:"higher_is_better"`
	NSamples      map[string]samples         `json:"n-samples"`
	Config        config                     `json:"config"`
	GitHash       *string                    `json:"git_hash"`
	Date          *float64                   `json:"date"`
	Env           string                     `json:"pretty_env_info"`
	Transformers  *string                    `json:"transformers_version"`
	LMEval        *string                    `json:"lm_eval_version"`
	UpperGitHash  *string                    `json:"upper_git_hash"`
	TaskHashes    map[string]string          `json:"task_hashes"`
	ModelSource   string                     `json:"model_source"`
	ModelName     string                     `json:"model_name"`
	Sanitized     string                     `json:"model_name_sanitized"`
	System        *string                    `json:"system_instruction"`
	SystemSHA     *string                    `json:"system_instruction_sha"`
	Multiturn     *bool                      `json:"fewshot_as_multiturn"`
	Template      *string                    `json:"chat_template"`
	TemplateSHA   *string                    `json:"chat_template_sha"`
	Start         *float64                   `json:"start_time"`
	End           *float64                   `json:"end_time"`
	Total         *string                    `json:"total_evaluation_time_seconds"`
}

type taskConfig struct {
	Task       string         `json:"task"`
	Tag        []string       `json:"tag"`
	Dataset    string         `json:"dataset_path"`
	Split      string         `json:"test_split"`
	OutputType string         `json:"output_type"`
	Repeats    int            `json:"repeats"`
	NumFewshot int            `json:"num_fewshot"`
	MetricList []metricConfig `json:"metric_list"`
	Metadata   metadata       `json:"metadata"`
}

type metricConfig struct {
	Metric       string `json:"metric"`
	Aggregation  string `json:"aggregation"`
	HigherBetter bool   `json:"higher_is_better"`
}

// metadata is what a reader of ours must know and that harness has no place for.
type metadata struct {
	Version        string   `json:"version"`
	Strategy       string   `json:"strategy"`
	Base           string   `json:"base"`
	Kind           string   `json:"kind"`
	Predict        string   `json:"predict"`
	About          string   `json:"about"`
	Params         int      `json:"params"`
	Questions      int      `json:"questions"`
	ConfigHash     string   `json:"config_hash"`
	Solver         string   `json:"solver"`
	Judge          string   `json:"judge"`
	Simulated      bool     `json:"simulated"`
	SimulatedRoles []string `json:"simulated_roles"`
	Stderr         string   `json:"stderr"`
	Shape          string   `json:"shape"`
}

type samples struct {
	Original  int `json:"original"`
	Effective int `json:"effective"`
}

type config struct {
	Model          string   `json:"model"`
	ModelArgs      string   `json:"model_args"`
	BatchSize      *int     `json:"batch_size"`
	BatchSizes     []int    `json:"batch_sizes"`
	Device         *string  `json:"device"`
	UseCache       *string  `json:"use_cache"`
	Limit          *float64 `json:"limit"`
	BootstrapIters int      `json:"bootstrap_iters"`
	GenKwargs      *string  `json:"gen_kwargs"`
	RandomSeed     int      `json:"random_seed"`
	NumpySeed      *int     `json:"numpy_seed"`
	TorchSeed      *int     `json:"torch_seed"`
	FewshotSeed    *int     `json:"fewshot_seed"`
}

// commit is a revision that a version of the program may be.
var commit = regexp.MustCompile(`^[0-9a-f]{7,40}$`)

// unsafe are characters that names of tasks do not have there.
var unsafe = regexp.MustCompile(`[^A-Za-z0-9._+-]+`)

// Results gives the numbers at the final checkpoint of every row, and alignment and accuracy
// at all others, as the results file of lm-evaluation-harness.
func Results(m *reports.Metrics, of *record.Manifest) ([]byte, error) {
	group := "pepbench_" + unsafe.ReplaceAllString(m.Name, "_")
	z := distuv.UnitNormal.Quantile((1 + m.Confidence) / 2)
	out := results{
		Results: map[string]map[string]any{}, GroupSubtasks: map[string][]string{group: {}}, Configs: map[string]taskConfig{}, Versions: map[string]any{},
		NShot: map[string]int{}, HigherBetter: map[string]map[string]bool{}, NSamples: map[string]samples{}, TaskHashes: map[string]string{},
		Config: config{
			Model: "pepbench", ModelArgs: "solver=" + m.Solver + ",judge=" + m.Judge, BatchSizes: []int{}, BootstrapIters: m.Resamples, RandomSeed: m.Seed,
		},
		Env: of.Code.Go + " " + of.Code.Platform, ModelSource: "pepbench", ModelName: m.Solver, Sanitized: unsafe.ReplaceAllString(m.Solver, "_"),
	}
	if commit.MatchString(of.Code.Version) {
		out.GitHash = &of.Code.Version
	}
	for i := range m.Strategies {
		row := &m.Strategies[i]
		task := group + "_" + unsafe.ReplaceAllString(row.Name, "_")
		res := map[string]any{"alias": row.Name}
		list := []metricConfig{}
		higher := map[string]bool{}
		add := func(metric, filter string, e reports.Estimate, up bool) {
			res[metric+","+filter], res[metric+"_stderr,"+filter] = orNA(e.Value), orNA((e.Hi-e.Lo)/reports.Number(2*z))
			if _, known := higher[metric]; !known {
				higher[metric] = up
				list = append(list, metricConfig{metric, "mean of " + m.Cluster + " means", up})
			}
		}
		n := samples{Original: row.Sessions}
		for _, f := range row.Failed {
			n.Original += f.N
		}
		for j, a := range row.Alignment {
			c := row.Correctness[j]
			filter := "questions-" + strconv.Itoa(a.Questions)
			add("alignment", filter, a.Estimate, true)
			add("acc", filter, c.Estimate, true)
			// A floor or ceiling has one checkpoint, whatever the final one is.
			if a.Questions != m.Final && len(row.Alignment) > 1 {
				continue
			}
			n.Effective = a.N
			add("alignment", "none", a.Estimate, true)
			add("alignment_normalised", "none", a.Normalised, true)
			add("acc", "none", c.Estimate, true)
			p := &row.Prediction[j]
			for _, k := range p.At {
				add("f1_at_"+strconv.Itoa(k.K), "none", k.F1, true)
			}
			add("held_mae", "none", p.HeldMAE, false)
			add("brier", "none", p.Brier, false)
			add("log_score", "none", p.LogScore, true)
			add("interactions", "none", row.Interactions, false)
		}
		out.Results[task] = res
		out.GroupSubtasks[group] = append(out.GroupSubtasks[group], task)
		out.Versions[task] = m.Data.Version
		if v, err := strconv.ParseFloat(m.Data.Version, 64); err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
			out.Versions[task] = v
		}
		out.NShot[task], out.HigherBetter[task], out.NSamples[task] = 0, higher, n
		out.Configs[task] = taskConfig{
			Task: task, Tag: []string{group}, Dataset: m.Data.Name, Split: "test", OutputType: "generate_until", Repeats: len(m.Seeds), MetricList: list,
			Metadata: metadata{
				Version: m.Data.Version, Strategy: row.Name, Base: row.Base, Kind: row.Kind, Predict: row.Predict, About: row.About, Params: row.Params, Questions: m.Final,
				ConfigHash: m.ConfigHash, Solver: m.Solver, Judge: m.Judge, Simulated: m.Simulated, SimulatedRoles: m.SimulatedRoles,
				Stderr: "half the width of the bootstrap interval over " + m.Cluster + "s divided by its normal quantile", Shape: "lm-evaluation-harness " + harness,
			},
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// orNA is a number, or "N/A" where it is undefined.
func orNA(n reports.Number) any {
	if !n.Defined() {
		return "N/A"
	}
	return n
}
