package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// table is a part of the report. The first column of figures is ps4kit's.
type table struct {
	title string
	names []string
	rows  []row
}

// row is one measurement.
type row struct {
	what   string
	unit   string
	cells  []cell
	budget float64 // at most; 0: there is none
}

// cell is a figure, or why there is none.
type cell struct {
	value float64
	why   string
}

func value(v float64) cell {
	if math.IsNaN(v) {
		return cell{why: "not measured"}
	}
	return cell{value: v}
}

// markdown writes the table with the ratio beside each peer's figure.
func (t table) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s\n\n| | ps4kit | budget | met |", t.title)
	for _, n := range t.names[1:] {
		fmt.Fprintf(b, " %s | ps4kit : it |", n)
	}
	b.WriteString("\n|---|---:|---:|---|" + strings.Repeat("---:|---:|", len(t.names)-1) + "\n")
	for _, r := range t.rows {
		r.markdown(b)
	}
}

func (r row) markdown(b *strings.Builder) {
	ours := r.cells[0]
	fmt.Fprintf(b, "| %s | %s | %s | %s |", r.what, r.show(ours), r.limit(), r.met())
	for _, c := range r.cells[1:] {
		fmt.Fprintf(b, " %s | %s |", r.show(c), ratio(ours, c))
	}
	b.WriteString("\n")
}

func (r row) show(c cell) string {
	if c.why != "" {
		return c.why
	}
	return strings.TrimSpace(figure(c.value) + " " + r.unit)
}

func (r row) limit() string {
	if r.budget == 0 {
		return ""
	}
	return strings.TrimSpace("≤ " + strconv.FormatFloat(r.budget, 'f', -1, 64) + " " + r.unit)
}

func (r row) met() string {
	switch {
	case r.budget == 0:
		return ""
	case r.cells[0].why == "" && r.cells[0].value <= r.budget:
		return "met"
	}
	return "**not met**"
}

// figure writes a number with three digits that count.
func figure(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// ratio is ours to theirs, with 1 on the side of the smaller one.
func ratio(ours, theirs cell) string {
	switch {
	case ours.why != "" || theirs.why != "" || ours.value <= 0 || theirs.value <= 0:
		return ""
	case ours.value <= theirs.value:
		return "1 : " + figure(theirs.value/ours.value)
	}
	return figure(ours.value/theirs.value) + " : 1"
}

func newCommandTable(title, note string) table {
	if note != "" {
		title += " (" + note + ")"
	}
	return table{title: title, names: []string{"ps4kit", "ps4-waker"}}
}

func (t *table) addUsed(what string, ours, waker used) {
	add := func(what, unit string, get func(used) float64) {
		theirs := value(get(waker))
		if waker.err != nil {
			theirs = cell{why: failed}
		}
		t.rows = append(t.rows, row{what: what, unit: unit, cells: []cell{value(get(ours)), theirs}})
	}
	add(what, "ms", func(u used) float64 { return u.wall.at(50) })
	add(what+": processor time", "ms", func(u used) float64 { return milliseconds(u.cpu) })
	add(what+": memory at most", "MB", func(u used) float64 { return u.rss })
}

func (t *table) addCount(what string, ours, waker float64) {
	t.rows = append(t.rows, row{what: what, cells: []cell{value(ours), value(waker)}})
}
