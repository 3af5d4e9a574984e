package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"reflect"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// A column of a table. Numbers and flags may be null, text is empty instead.
type column struct {
	name string
	kind reflect.Kind // String, Bool, Int64 or Float64
}

// A table takes rows with a value for every column: nil, or a string, bool, int64 or float64
// as the column has it. Close completes what was written.
type table interface {
	row(values []any) error
	close() error
}

// csvTable writes a line a row; null is an empty field.
type csvTable struct {
	w     *csv.Writer
	cells []string
}

func newCSV(w io.Writer, columns []column) (table, error) {
	t := &csvTable{w: csv.NewWriter(w), cells: make([]string, len(columns))}
	for i, c := range columns {
		t.cells[i] = c.name
	}
	return t, t.w.Write(t.cells)
}

func (t *csvTable) row(values []any) error {
	for i, v := range values {
		switch v := v.(type) {
		case nil:
			t.cells[i] = ""
		case string:
			t.cells[i] = v
		case bool:
			t.cells[i] = strconv.FormatBool(v)
		case int64:
			t.cells[i] = strconv.FormatInt(v, 10)
		case float64:
			t.cells[i] = strconv.FormatFloat(v, 'f', -1, 64)
		default:
			panic(fmt.Sprintf("export: a cell of type %T", v))
		}
	}
	return t.w.Write(t.cells)
}

func (t *csvTable) close() error {
	t.w.Flush()
	return t.w.Error()
}

// rowGroup is how many rows of a Parquet file are held in memory.
const rowGroup = 8192

// parquetTable writes a Parquet file with a flat schema, compressed by Snappy.
type parquetTable struct {
	w       *parquet.GenericWriter[any]
	columns []column
	values  []parquet.Value
}

func newParquet(w io.Writer, columns []column) (table, error) {
	fields := make([]reflect.StructField, len(columns))
	for i, c := range columns {
		f := reflect.StructField{Name: fmt.Sprintf("F%d", i), Tag: reflect.StructTag(fmt.Sprintf(`parquet:"%s,optional,snappy"`, c.name))}
		switch c.kind {
		case reflect.String:
			f.Type, f.Tag = reflect.TypeFor[string](), reflect.StructTag(fmt.Sprintf(`parquet:"%s,dict,snappy"`, c.name))
		case reflect.Bool:
			f.Type = reflect.TypeFor[*bool]()
		case reflect.Int64:
			f.Type = reflect.TypeFor[*int64]()
		case reflect.Float64:
			f.Type = reflect.TypeFor[*float64]()
		default:
			panic("export: a column of kind " + c.kind.String())
		}
		fields[i] = f
	}
	schema := parquet.SchemaOf(reflect.New(reflect.StructOf(fields)).Interface())
	// Neither the build of the library nor the machine belongs into the file.
	return &parquetTable{
		w:       parquet.NewGenericWriter[any](w, schema, parquet.CreatedBy("pepbench", "1", "0"), parquet.MaxRowsPerRowGroup(rowGroup)),
		columns: columns, values: make([]parquet.Value, len(columns)),
	}, nil
}

func (t *parquetTable) row(values []any) error {
	for i, v := range values {
		switch {
		case t.columns[i].kind == reflect.String:
			t.values[i] = parquet.ByteArrayValue([]byte(v.(string))).Level(0, 0, i)
		case v == nil:
			t.values[i] = parquet.NullValue().Level(0, 0, i)
		default:
			t.values[i] = parquet.ValueOf(v).Level(0, 1, i)
		}
	}
	_, err := t.w.WriteRows([]parquet.Row{t.values})
	return err
}

func (t *parquetTable) close() error { return t.w.Close() }

// tableOf gives the columns of a struct by its JSON keys, and what makes a row of one.
func tableOf[T any]() (columns []column, row func(*T) []any) {
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		f := t.Field(i)
		kind := f.Type.Kind()
		if kind == reflect.Pointer {
			kind = f.Type.Elem().Kind()
		}
		columns = append(columns, column{f.Tag.Get("json"), kind})
	}
	return columns, func(of *T) []any {
		v := reflect.ValueOf(of).Elem()
		out := make([]any, len(columns))
		for i := range out {
			f := v.Field(i)
			if f.Kind() == reflect.Pointer {
				if f.IsNil() {
					continue
				}
				f = f.Elem()
			}
			out[i] = f.Interface()
		}
		return out
	}
}
