package survey

// badFolders are the fixtures with one fault each; want is what follows the path
// of the folder.
var badFolders = []struct{ reason, dir, want string }{
	{
		reason: "nobody to simulate", dir: "all_empty.bad",
		want: `profiles.csv: no user has answered anything; write a row for each user`,
	},
	{
		reason: "a quote inside a bare cell", dir: "bare_quote.bad",
		want: `profiles.csv:4: the row is not valid CSV: bare " in non-quoted-field; put a cell with commas, quotes or line ends in quotes, and double the quotes in it`,
	},
	{
		reason: "two files for one table", dir: "both.bad",
		want: `profiles.csv: is there twice, plain and gzipped; remove one of the two`,
	},
	{
		reason: "a column must say what it is", dir: "column_without_dim.bad",
		want: `profiles.csv:1: column "cake" has no row in dims.csv; add the row or remove the column`,
	},
	{
		reason: "a dimension is described once", dir: "dim_twice.bad",
		want: `dims.csv:5: dimension "tea" is there twice, first in line 2; keep one of the rows`,
	},
	{
		reason: "a dimension has a name", dir: "dim_unnamed.bad",
		want: `dims.csv:5: dim_id is empty; name the column of profiles.csv that the row is about`,
	},
	{
		reason: "the column is taken", dir: "dim_user_id.bad",
		want: `dims.csv:5: user_id cannot be a dimension; rename the dimension`,
	},
	{
		reason: "a described dimension has answers", dir: "dim_without_column.bad",
		want: `dims.csv:4: dimension "age" has no column in profiles.csv; add the column or remove the row`,
	},
	{
		reason: "a typing error in a column name must not pass", dir: "dims_column.bad",
		want: `dims.csv:1: column "weight" is not known; the columns are dim_id, type, levels, group, keying, text`,
	},
	{
		reason: "nothing in the file", dir: "dims_empty.bad",
		want: `dims.csv: the file is empty; write a header row and the data below it`,
	},
	{
		reason: "no dimension", dir: "dims_header_only.bad",
		want: `dims.csv: the file has no dimension; write a row for each column of profiles.csv`,
	},
	{
		reason: "a file is missing", dir: "dims_missing.bad",
		want: `dims.csv: the file cannot be opened (no such file or directory); a survey is a folder with dims.csv and profiles.csv (or .gz); put dims.csv there`,
	},
	{
		reason: "levels cannot be guessed", dir: "dims_no_levels.bad",
		want: `dims.csv:1: there is no column levels; add it`,
	},
	{
		reason: "a cut row", dir: "dims_short.bad",
		want: `dims.csv:2: the row has 3 cells, the header has 6; give every row one cell a column`,
	},
	{
		reason: "half a download", dir: "dims_zip.bad",
		want: `dims.csv.gz:1: the compressed data ends too early; copy or download the file again`,
	},
	{
		reason: "two columns of one name", dir: "header_twice.bad",
		want: `profiles.csv:1: column "tea" is there twice; remove or rename one of them`,
	},
	{
		reason: "a column has a name", dir: "header_unnamed.bad",
		want: `profiles.csv:1: column 2 has no name; name it or remove it`,
	},
	{
		reason: "keying is + or -", dir: "keying.bad",
		want: `dims.csv:2: dimension "tea": keying is "reverse"; write +, - or nothing`,
	},
	{
		reason: "a range rises", dir: "levels_continuous.bad",
		want: `dims.csv:2: dimension "tea": levels "100..0" is no range; write a range such as 0..100, or nothing to take it from the answers`,
	},
	{
		reason: "a label is something", dir: "levels_empty.bad",
		want: `dims.csv:2: dimension "tea": level 2 ("") is empty; write something on both sides of every | and =`,
	},
	{
		reason: "ordinal levels rise", dir: "levels_falling.bad",
		want: `dims.csv:2: dimension "tea": level 2 ("1=b") does not rise above the one before; write the lowest first and none twice`,
	},
	{
		reason: "ordinal ranges are whole", dir: "levels_half.bad",
		want: `dims.csv:2: dimension "tea": levels "0.5..5" is no range; write whole numbers, the lower first, such as 1..5`,
	},
	{
		reason: "a range is finite", dir: "levels_infinite.bad",
		want: `dims.csv:2: dimension "tea": levels "0..Inf" is no range; write a range such as 0..100, or nothing to take it from the answers`,
	},
	{
		reason: "a slip of the pen must not make a hundred thousand levels", dir: "levels_many.bad",
		want: `dims.csv:2: dimension "tea": levels "1..100000" is more than 1000 levels; use type continuous`,
	},
	{
		reason: "values for all or for none", dir: "levels_mixed.bad",
		want: `dims.csv:2: dimension "tea": level 2 ("b") is written unlike the first; write value=label for all levels or for none`,
	},
	{
		reason: "NA is taken", dir: "levels_na.bad",
		want: `dims.csv:2: dimension "tea": level 2 is NA; leave it out: NA in a cell says that the question does not concern the user`,
	},
	{
		reason: "ordinal needs levels", dir: "levels_none.bad",
		want: `dims.csv:2: dimension "tea": levels "" is not two or more levels; write levels such as 1..5, no|yes or 0=no|1=yes`,
	},
	{
		reason: "one level tells nothing apart", dir: "levels_one.bad",
		want: `dims.csv:2: dimension "tea": levels "red" is not two or more levels; write levels such as 1..5, no|yes or 0=no|1=yes`,
	},
	{
		reason: "a label that reads as another level's number", dir: "levels_other.bad",
		want: `dims.csv:2: dimension "tea": "3" stands for two levels; give every level its own label`,
	},
	{
		reason: "a range rises", dir: "levels_range.bad",
		want: `dims.csv:2: dimension "tea": levels "5..1" is no range; write whole numbers, the lower first, such as 1..5`,
	},
	{
		reason: "labels differ", dir: "levels_same.bad",
		want: `dims.csv:2: dimension "tea": "a" stands for two levels; give every level its own label`,
	},
	{
		reason: "ordinal values are numbers", dir: "levels_words.bad",
		want: `dims.csv:2: dimension "tea": the values of ordinal levels are not all numbers; write number=label, or labels alone`,
	},
	{
		reason: "a row too long", dir: "long.bad",
		want: `profiles.csv:4: the row has 5 cells, the header has 4; give every row one cell a column`,
	},
	{
		reason: "the id column has another name", dir: "no_user_id.bad",
		want: `profiles.csv:1: there is no column user_id; add it`,
	},
	{
		reason: "there is no id column", dir: "no_user_id_column.bad",
		want: `profiles.csv:1: there is no column user_id; add it`,
	},
	{
		reason: "nothing in the file", dir: "profiles_empty.bad",
		want: `profiles.csv: the file is empty; write a header row and the data below it`,
	},
	{
		reason: "no user", dir: "profiles_header_only.bad",
		want: `profiles.csv: the file has no user; write a row for each user`,
	},
	{
		reason: "a file is missing", dir: "profiles_missing.bad",
		want: `profiles.csv: the file cannot be opened (no such file or directory); a survey is a folder with dims.csv and profiles.csv (or .gz); put profiles.csv there`,
	},
	{
		reason: "a quote that is never closed", dir: "quote.bad",
		want: `profiles.csv:4: the row is not valid CSV: extraneous or missing " in quoted-field; put a cell with commas, quotes or line ends in quotes, and double the quotes in it`,
	},
	{
		reason: "a range cannot be taken from one answer", dir: "range_none.bad",
		want: `dims.csv:2: dimension "tea" has no levels, and no two answers to it differ; give its range, such as 0..100, or remove the dimension`,
	},
	{
		reason: "a row too short", dir: "short.bad",
		want: `profiles.csv:4: the row has 3 cells, the header has 4; give every row one cell a column`,
	},
	{
		reason: "a type of another program", dir: "type.bad",
		want: `dims.csv:2: dimension "tea": type "likert" is not known; write ordinal, nominal or continuous`,
	},
	{
		reason: "one row a user", dir: "user_twice.bad",
		want: `profiles.csv:5: user "u2" is there twice, first in line 2; keep one row a user`,
	},
	{
		reason: "one row a user, even if one says nothing", dir: "user_twice_empty.bad",
		want: `profiles.csv:4: user "u2" is there twice, first in line 2; keep one row a user`,
	},
	{
		reason: "a user has an id", dir: "user_unnamed.bad",
		want: `profiles.csv:4: user_id is empty; give every row an id`,
	},
	{
		reason: "not UTF-8", dir: "utf8.bad",
		want: `profiles.csv:4: column 1 is not valid UTF-8; save the file as UTF-8`,
	},
	{
		reason: "outside the levels", dir: "value.bad",
		want: `profiles.csv:4: dimension "tea": "6" is none of its values; write one of 1, 2, 3, 4, 5, nothing when not answered, NA when it does not concern the user`,
	},
	{
		reason: "no number", dir: "value_free.bad",
		want: `profiles.csv:3: dimension "tea": "much" is none of its values; write a number, nothing when not answered, NA when it does not concern the user`,
	},
	{
		reason: "between two levels", dir: "value_half.bad",
		want: `profiles.csv:4: dimension "tea": "2.5" is none of its values; write one of 1, 2, 3, 4, 5, nothing when not answered, NA when it does not concern the user`,
	},
	{
		reason: "nominal cells hold labels, not indices", dir: "value_index.bad",
		want: `profiles.csv:4: dimension "bus": "0" is none of its values; write one of red, green, blue, nothing when not answered, NA when it does not concern the user`,
	},
	{
		reason: "an unknown label", dir: "value_label.bad",
		want: `profiles.csv:4: dimension "bus": "pink" is none of its values; write one of red, green, blue, nothing when not answered, NA when it does not concern the user`,
	},
	{
		reason: "NA is spelled NA", dir: "value_na.bad",
		want: `profiles.csv:4: dimension "tea": "n/a" is none of its values; write one of 1, 2, 3, 4, 5, nothing when not answered, NA when it does not concern the user`,
	},
	{
		reason: "missing is an empty cell, not NaN", dir: "value_nan.bad",
		want: `profiles.csv:4: dimension "age": "nan" is none of its values; write a number from 0 to 100, nothing when not answered, NA when it does not concern the user`,
	},
	{
		reason: "outside the range", dir: "value_range.bad",
		want: `profiles.csv:4: dimension "age": "101" is none of its values; write a number from 0 to 100, nothing when not answered, NA when it does not concern the user`,
	},
	{
		reason: "half a download", dir: "zip.bad",
		want: `profiles.csv.gz:47: the compressed data ends too early; copy or download the file again`,
	},
	{
		reason: "a damaged download", dir: "zip_checksum.bad",
		want: `profiles.csv.gz:4: the compressed data is damaged (gzip: invalid checksum); copy or download the file again`,
	},
	{
		reason: "the name promises gzip", dir: "zip_name.bad",
		want: `profiles.csv.gz: the name ends in .gz but the content is not gzip; rename the file or compress it`,
	},
}
