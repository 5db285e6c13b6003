package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// The generated part of the page lies between these two lines.
const (
	markBegin = "<!-- made by `make bench`: do not edit below -->\n"
	markEnd   = "<!-- made by `make bench`: do not edit above -->\n"
)

// writeReport replaces the generated part of a page.
func writeReport(page string, m machine, b *bench, tables []table) error {
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, begin := strings.Cut(string(old), markBegin)
	_, after, end := strings.Cut(rest, markEnd)
	if !begin || !end {
		return errors.New(page + " lacks the lines between which the tables go")
	}
	var out strings.Builder
	out.WriteString(before + markBegin)
	m.markdown(&out, b)
	for _, t := range tables {
		t.markdown(&out)
	}
	out.WriteString("\n" + markEnd + after)
	return os.WriteFile(page, []byte(out.String()), 0o644) //nolint:gosec // a page of the documentation
}

func (m machine) markdown(out *strings.Builder, b *bench) {
	fmt.Fprintf(out, "\nMeasured %s on %s.\n\n", m.when.Format("2006-01-02 15:04 UTC"), m.system)
	for _, l := range m.lines {
		fmt.Fprintf(out, "- %s\n", l)
	}
	fmt.Fprintf(out, "- load average of the minute before the run: %.2f\n", m.load)
	switch {
	case b.smoke:
		out.WriteString("\n**This was a smoke run: the figures say nothing.**\n")
	case m.busy():
		fmt.Fprintf(out, "\n**The machine was busy (load above %.1f): these figures are not to be trusted.**\n", busy)
	}
}
