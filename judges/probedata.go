package judges

import "pepbench/domains"

// A probe is a made-up task with criteria and responses that plainly show some of them
// not at all or fully.
type probe struct {
	task      string
	criteria  []domains.Criterion
	wants     []float64 // of quality rubrics: what the reader wants of each criterion
	why       []string
	responses []probeResponse
}

// A probeResponse plainly shows level 1 or 5 of a criterion, or (0) neither.
type probeResponse struct {
	shows [3]int
	text  string
}

// What stands around a padded response: sentences about nothing that a criterion is
// about.
const (
	paddingBefore = "This is a reply to the message that was sent. The reply begins with the next paragraph, and this one only stands above it.\n\n"
	paddingAfter  = "\n\nHere the reply ends. The paragraph above is all that belongs to it. This one has been put below it, as the first one has been put on top."
)

func amountOf(name, about string, levels ...string) domains.Criterion {
	c := domains.Criterion{ID: name, Name: name, Description: about}
	for i, l := range levels {
		c.Levels = append(c.Levels, domains.Level{Value: float64(i + 1), Text: l})
	}
	return c
}

// probes are 24 responses to four tasks, graded on three criteria each.
func probes() []probe {
	return []probe{{
		task: "How do I repot a houseplant whose roots have outgrown its pot?",
		criteria: []domains.Criterion{
			amountOf("warnings", "cautions about what can go wrong",
				"no warnings", "a single warning in passing", "a warning where the risk is greatest", "warnings for most actions", "warnings for every action, each with its consequence"),
			amountOf("steps", "whether the actions are laid out one after another",
				"no steps, only a general remark", "a hint at an order", "steps told in running text", "numbered steps for the main actions", "numbered steps for every single action, down to the smallest"),
			amountOf("reasons", "why each piece of advice holds",
				"no reasons", "a reason for one detail", "reasons for the main point", "reasons for most of the advice", "reasons for all of the advice, traced back to how plants live"),
		},
		wants: []float64{5, 1, 5},
		why:   []string{"lost a plant last year", "finds lists tiresome", "wants to understand"},
		responses: []probeResponse{
			{[3]int{1, 1, 1}, "Put it into a bigger pot with fresh soil, and water it well."},
			{[3]int{5, 1, 1}, "Put it into a bigger pot with fresh soil. There are warnings for every action, each with its consequence: pull on the stem, and it snaps; tear the roots, and the plant wilts; press the soil hard, and water stands on it; flood the pot, and everything rots."},
			{[3]int{1, 5, 1}, "Numbered steps for every single action, down to the smallest. 1. Lay out a sheet. 2. Fill a third of the new pot with soil. 3. Tip the old pot on its side. 4. Slide out the root ball. 5. Loosen it with your fingers. 6. Set it upright. 7. Fill up with soil. 8. Water it."},
			{[3]int{1, 1, 5}, "Take a pot that is two fingers wider, and fresh soil. The reasons for all of the advice go back to how plants live: roots take in water through fine hairs, which need room to grow; they breathe, and so loose soil, which holds air, suits them; old soil has given up its minerals, without which leaves turn pale."},
			{[3]int{5, 5, 1}, "Numbered steps for every single action, down to the smallest, and warnings for every action, each with its consequence. 1. Tip the pot; pulled by the stem, the plant breaks. 2. Loosen the roots; torn ones rot. 3. Set the plant in the new pot; too deep, and its neck rots. 4. Fill in soil; pressed hard, it drowns the roots. 5. Water; a flooded pot goes sour."},
			{[3]int{0, 0, 0}, "First loosen the root ball, then set it in a pot a little wider, and fill up with soil. Go gently with the roots, since they tear."},
		},
	}, {
		task: "Explain to a friend what makes bread dough rise.",
		criteria: []domains.Criterion{
			amountOf("comparisons", "likening what is explained to something familiar",
				"no comparisons", "one comparison in a word or two", "a comparison for the central idea", "comparisons for most ideas", "comparisons for every idea, spelled out at length"),
			amountOf("jokes", "things said to amuse",
				"no jokes, sober throughout", "a faint smile once", "a joke or two among the facts", "jokes in most sentences", "jokes in every sentence, with hardly a sober word"),
			amountOf("figures", "quantities such as times, temperatures and weights",
				"no figures", "one rough quantity", "figures for the main ingredient", "figures for most of what is said", "exact figures throughout: times, temperatures and weights of everything"),
		},
		wants: []float64{5, 5, 1},
		why:   []string{"learns by pictures", "is tired and wants to laugh", "skips anything with quantities"},
		responses: []probeResponse{
			{[3]int{1, 1, 1}, "Yeast eats the sugar in the flour and gives off gas. The gas is caught in the dough and lifts it."},
			{[3]int{5, 1, 1}, "Here are comparisons for every idea, spelled out at length. Yeast is like a crowd at a buffet: it eats sugar as guests eat cake, for as long as there is any. The gas is like breath blown into a balloon. The dough is like the rubber of that balloon, which stretches and holds."},
			{[3]int{1, 5, 1}, "I have jokes in every sentence, with hardly a sober word. Yeast goes to the gym for carbs only. It burps, and we call it baking. The dough gets a swollen head, and who would not, with so many small admirers inside."},
			{[3]int{1, 1, 5}, "Exact figures throughout: the times, temperatures and weights of everything. Mix 500 g of flour, 325 g of water, 10 g of salt and 7 g of yeast. At 26 degrees the dough doubles in 90 minutes, at 20 degrees in 150 minutes. The gas makes up 60 per cent of its volume."},
			{[3]int{5, 5, 1}, "Here are comparisons for every idea, spelled out at length, and jokes in every sentence, with hardly a sober word. Yeast is like my uncle at a buffet, who eats sugar until somebody turns off the light. The gas is like his jokes, hot air that lifts the company. The dough is like his belt, which gives, and gives, and holds."},
			{[3]int{0, 0, 0}, "Yeast turns sugar into gas, roughly as breath fills a balloon. Give the dough about an hour."},
		},
	}, {
		task: "Suggest how to spend a rainy Saturday in a small town.",
		criteria: []domains.Criterion{
			amountOf("prices", "what things cost",
				"no prices", "a word on whether it is cheap", "a price for the main idea", "prices for most ideas", "prices for all ideas, with fares and tips down to the coin"),
			amountOf("encouragement", "cheering the reader on",
				"no encouragement, plain facts", "a kind word once", "encouragement at the end", "encouragement with most ideas", "warm encouragement in every sentence, full of praise"),
			amountOf("alternatives", "other choices in case one does not suit",
				"no alternatives, one idea alone", "a second idea in a few words", "alternatives for the main idea", "alternatives for most of the day", "several alternatives for every hour of the day, compared with each other"),
		},
		wants: []float64{5, 1, 5},
		why:   []string{"has little money", "dislikes being cheered on", "is hard to please"},
		responses: []probeResponse{
			{[3]int{1, 1, 1}, "Go to the museum. It is open from ten to five."},
			{[3]int{5, 1, 1}, "Go to the museum. Here are the prices for all of it, with fares and tips down to the coin: admission 4.50, cloakroom 0.50, bus fare 1.80 each way, coffee 2.20, and 0.30 as a tip."},
			{[3]int{1, 5, 1}, "You deserve warm encouragement in every sentence, full of praise: how wonderful that you make time for yourself! The museum will love to have you. You have such an eye for beauty. Well done for going out on a wet day!"},
			{[3]int{1, 1, 5}, "There are several alternatives for every hour of the day, compared with each other. At ten the museum is quiet, the library is warmer and the pool is livelier. At noon the inn is cosy and the market hall is quicker. At three the cinema is dark and dry, the bowling alley is louder and the tea room is calmer."},
			{[3]int{5, 1, 5}, "There are several alternatives for every hour of the day, compared with each other, and prices for all ideas, with fares and tips down to the coin. At ten the museum at 4.50 is quiet and the pool at 3.20 is livelier. At noon the inn at 11.90 with a tip of 1.10 is cosy and the market hall at 5.40 is quicker. The bus is 1.80."},
			{[3]int{0, 0, 0}, "Go to the museum, which is not expensive, or else read in the library. It will be a nice day."},
		},
	}, {
		task: "Should I, an adult, take up the cello or the clarinet?",
		criteria: []domains.Criterion{
			amountOf("drawbacks", "what speaks against a choice",
				"no drawbacks", "one drawback in passing", "the main drawback of one choice", "drawbacks of both choices", "all drawbacks of both choices, weighed one by one"),
			amountOf("citations", "where a claim comes from",
				"no citations", "a vague nod to experts", "a citation for the main claim", "citations for most claims", "full citations for every claim, with author, title and year"),
			amountOf("doubt", "how openly the answer says what it does not know",
				"no doubt, everything is certain", "a single perhaps", "doubt about the main claim", "doubt about most claims", "explicit doubt about every claim, with what would settle it"),
		},
		wants: []float64{1, 5, 5},
		why:   []string{"is easily put off", "checks everything", "distrusts the sure of themselves"},
		responses: []probeResponse{
			{[3]int{1, 1, 1}, "Take the cello. Its sound is warm, and you will love it."},
			{[3]int{5, 1, 1}, "Take the cello, although here are all drawbacks of both choices, weighed one by one. The cello is bulky, dear, hard on the left hand and slow to sound well. The clarinet squeaks, wears out reeds, tires the lips and annoys neighbours. The first weighs more on the purse, the second on the nerves."},
			{[3]int{1, 5, 1}, "Take the cello. Here are full citations for every claim, with author, title and year: adults learn strings well (A. Morel, Late Strings, 2011); low notes please beginners (B. Okoye, First Sounds, 2016); players stay with it (C. Lindqvist, Ten Years On, 2019)."},
			{[3]int{1, 1, 5}, "Perhaps the cello. I state explicit doubt about every claim, with what would settle it: whether its sound pleases you, I cannot know, and an hour in a shop would tell; whether your hands are large enough, I cannot see, and a teacher could; whether you will practise, nobody knows, and a month on hire would show."},
			{[3]int{5, 5, 1}, "Take the cello. Here are all drawbacks of both choices, weighed one by one, and full citations for every claim, with author, title and year. The cello is bulky and dear (D. Ferrari, The Low Strings, 2008) and slow to sound well (A. Morel, Late Strings, 2011). The clarinet squeaks (E. Haddad, Reeds, 2014) and tires the lips (F. Novak, Breath, 2017)."},
			{[3]int{0, 0, 0}, "I would say the cello, though it is bulky. Teachers often say that adults do well with it, but try both."},
		},
	}}
}
