package reports

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// markdown writes the table with its caption above and its notes below.
func (g *grid) markdown() []byte {
	var b bytes.Buffer
	esc := strings.NewReplacer("|", "\\|", "~", "\\~", "*", "\\*", "_", "\\_", "<", "&lt;", "`", "\\`", "[", "\\[")
	fmt.Fprintf(&b, "%s\n\n", esc.Replace(g.caption))
	row := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	row(g.head)
	rule := make([]string, len(g.head))
	for i := range rule {
		rule[i] = ":---"
		if g.right(i) {
			rule[i] = "---:"
		}
	}
	fmt.Fprintf(&b, "|%s|\n", strings.Join(rule, "|"))
	for _, group := range g.groups {
		for _, cells := range group {
			text := make([]string, len(cells))
			for i, c := range cells {
				text[i] = strings.TrimSpace(esc.Replace(c.text() + " " + c.p))
				if c.note > 0 {
					text[i] += "<sup>" + letter(c.note) + "</sup>"
				}
			}
			row(text)
		}
	}
	for i, n := range g.notes {
		fmt.Fprintf(&b, "\n<sup>%s</sup> %s.", letter(i+1), esc.Replace(n))
		if i < len(g.notes)-1 {
			b.WriteString("  ")
		} else {
			b.WriteString("\n")
		}
	}
	if len(g.foot) > 0 {
		fmt.Fprintf(&b, "\n%s\n", esc.Replace(strings.Join(g.foot, " ")))
	}
	return b.Bytes()
}

// text joins value, interval and mark.
func (c cell) text() string {
	return strings.TrimSpace(strings.Join(slices.DeleteFunc([]string{c.value, c.interval, c.mark}, func(s string) bool { return s == "" }), " "))
}

// texWords are what LaTeX would take for something else: its own characters, ligatures, and
// signs that the fonts of pdfLaTeX have in formulas alone.
var texWords = strings.NewReplacer(
	`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`, "{", `\{`, "}", `\}`,
	"~", `$\sim$`, "*", "{*}", "^", `\textasciicircum{}`, "<", "$<$", ">", "$>$", "|", "$|$", "[", "{[}", "]", "{]}",
	"`", `\textasciigrave{}`, `"`, `\straightquote{}`, "--", "-{}-", "–", "--", "—", "---", "…", `\dots{}`, "†", `\dag{}`,
	"±", `$\pm$`, "×", `$\times$`, "≤", `$\le$`, "≥", `$\ge$`, "−", "$-$", "→", `$\to$`, "°", `$^\circ$`, "µ", `$\mu$`, "\n", " ", "\t", " ", "\r", " ",
)

// tex escapes for LaTeX. Letters that pdfLaTeX has no font for are for XeLaTeX and LuaLaTeX;
// pdfLaTeX shows a question mark (see texPreamble).
func tex(s string) string {
	s = texWords.Replace(s)
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < ' ' || r == 0x7f || r == utf8.RuneError:
			b.WriteByte('?')
		case r < 0x7f, r >= 'À' && r <= 'ÿ' && !strings.ContainsRune("ÐðÞþ÷", r):
			b.WriteRune(r)
		default:
			b.WriteString(`\anyfont{` + string(r) + `}`)
		}
	}
	return b.String()
}

// texPreamble begins every LaTeX file.
const texPreamble = `% needs \usepackage{booktabs} and \usepackage{graphicx}
\providecommand{\anyfont}[1]{\ifdefined\Umathcode#1\else?\fi}
\providecommand{\straightquote}{\char34{}}
`

// tallRows is with how many rows a table may be longer than a page has room for beside
// its caption and notes; LaTeX lets what is too long run off the page.
const tallRows = 36

// latex writes a float. It is set in \small, and shrunk only where that is wider
// than the page, or takes more of its length than captions and notes leave.
func (g *grid) latex() []byte {
	var b bytes.Buffer
	b.WriteString(texPreamble)
	fmt.Fprintf(&b, "\\begin{table*}\n\\centering\n\\caption{%s}\n\\label{tab:%s}\n\\vspace{6pt}\n\\small\\setlength{\\tabcolsep}{3pt}\n", tex(g.caption), g.name)
	head, columns := make([]string, len(g.head)), ""
	for i, h := range g.head {
		align := "l"
		if g.right(i) {
			align = "r"
		}
		columns += align
		head[i] = tex(h)
		if first, rest, ok := strings.Cut(head[i], " "); ok && len(h) > 10 { // in two lines
			head[i] = fmt.Sprintf(`\shortstack[%s]{%s\\%s}`, align, first, rest)
		}
	}
	wide := map[string]string{} // of the columns of words that wrap
	for j, h := range g.head {
		if !slices.Contains(g.left, h) {
			continue
		}
		wide[h] = "2.2cm"
		for _, group := range g.groups {
			for _, cells := range group {
				if len(cells[j].value) > 60 { // names of several runs
					wide[h] = "4cm"
				}
			}
		}
	}
	rows, end := 0, "}"
	for _, group := range g.groups {
		rows += len(group)
	}
	if rows > tallRows {
		b.WriteString("\\resizebox*{!}{\\ifdim\\totalheight>.7\\textheight .7\\textheight\\else\\totalheight\\fi}{%\n")
		end = "}}"
	}
	fmt.Fprintf(&b, "\\resizebox{\\ifdim\\width>\\textwidth\\textwidth\\else\\width\\fi}{!}{%%\n\\begin{tabular}{%s}\n\\toprule\n", columns)
	fmt.Fprintf(&b, "%s \\\\\n\\midrule\n", strings.Join(head, " & "))
	for i, group := range g.groups {
		if i > 0 {
			b.WriteString("\\addlinespace\n")
		}
		for _, cells := range group {
			text := make([]string, len(cells))
			for j, c := range cells {
				value := tex(c.value)
				if j >= g.words() { // a number
					for _, sign := range []string{"-", "+"} {
						if rest, ok := strings.CutPrefix(value, sign); ok && c.value != dash {
							value = "$" + sign + "$" + rest
						}
					}
				}
				if strings.HasPrefix(c.mark, "*") {
					value += "$^{" + c.mark + "}$"
				}
				between := " "
				if c.interval != "" {
					below := "{\\scriptsize " + strings.ReplaceAll(strings.ReplaceAll(tex(c.interval), " -", " $-$"), "{[}-", "{[}$-$") + "}"
					if g.stacked {
						between = `\\[-1pt]`
					}
					value += between + below
				}
				if c.mark != "" && !strings.HasPrefix(c.mark, "*") {
					value += " " + tex(c.mark)
				}
				if c.note > 0 {
					value += "\\textsuperscript{" + letter(c.note) + "}"
				}
				switch {
				case slices.Contains(g.left, g.head[j]):
					value = `\parbox[t]{` + wide[g.head[j]] + `}{\raggedright\strut ` + value + `\strut}`
				case between != " ":
					value = `\begin{tabular}[t]{@{}r@{}}` + value + `\end{tabular}`
				}
				text[j] = value
			}
			fmt.Fprintf(&b, "%s \\\\\n", strings.Join(text, " & "))
		}
	}
	b.WriteString("\\bottomrule\n\\end{tabular}" + end + "\n")
	for i, n := range g.notes {
		if i == 0 {
			b.WriteString("\\par\\smallskip\\footnotesize\\raggedright\n")
		}
		fmt.Fprintf(&b, "\\textsuperscript{%s}\\,%s.\n", letter(i+1), tex(n))
	}
	if len(g.foot) > 0 {
		b.WriteString("\\par\\smallskip\\footnotesize\\raggedright\n")
		fmt.Fprintf(&b, "%s\n", tex(strings.Join(g.foot, " ")))
	}
	b.WriteString("\\end{table*}\n")
	return b.Bytes()
}
