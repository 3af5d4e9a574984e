// Package survey loads data sets that have answers of many people but no task to
// solve: a folder with two CSV files, each plain or gzipped (then named
// dims.csv.gz, profiles.csv.gz).
//
//	dims.csv      -> dimensions, their levels, codes of every answer
//	profiles.csv  -> one row a person -> cells (8 bytes each) -> *domains.Dataset
//
// dims.csv has one row a question, with columns by name and in any order:
//
//	dim_id  its name in profiles.csv
//	type    ordinal, nominal or continuous
//	levels  ordinal:    1..5 or -1..1 (whole numbers from .. to),
//	                    -1=disagree|0=pass|1=agree (value=label),
//	                    low|middle|high (labels; their values are 1, 2, 3),
//	                    0|5|10 (all of them numbers: the values)
//	        nominal:    red|green|blue, or r=red|g=green|b=blue (code=label)
//	        continuous: 0..100 or 0.5..9.5; empty: the range of the answers
//	group   optional; a grouping of the questions
//	keying  optional; + or -
//	text    optional; the question as a person was asked it
//
// profiles.csv has the column user_id and one column for every dim_id. A cell is
// a value, a code or a label; an empty cell was not answered (Missing), and NA
// says that the question does not concern this person (NotHeld). The value of a
// nominal cell is the index of its level.
//
//	user_id,c01,c02,town
//	u1,4,NA,Ghent
//	u2,,2,Lyon
//
// All questions belong to one pseudo-task, "survey", in the order of dims.csv;
// users are in the order of their ids. Somebody without any answer is left out
// and counted. There are no weights: what is held weighs the same.
//
//	data, err := survey.Load("data/cuisines", survey.Options{})
//
// Files are streamed: what stays in memory is the cells, whatever the size of the
// file. A folder is loaded whole or not at all. The package knows nothing of
// filters, splits, strategies or runs, and imports only domains.
package survey
