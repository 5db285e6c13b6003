package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error holds everything that is wrong with a configuration, by source and line.
type Error struct {
	Problems []Problem // at least one
}

// Error returns one line for each problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Problem is one mistake in a configuration.
type Problem struct {
	place
	Key     string // such as consoles[0].titles[2].id; empty if unknown
	Message string // never holds a secret
}

// String returns a line such as "config.yaml:12: web.listen: what is wrong".
func (p Problem) String() string {
	return p.place.String() + ": " + strings.TrimPrefix(p.Key+": ", ": ") + p.Message
}

// place is where a value was written. The zero value stands for a default.
type place struct {
	Source string // the file, or the environment variable
	Line   int    // counts from 1; 0 if unknown
}

func (p place) String() string {
	switch {
	case p.Source == "":
		return SourceDefault
	case p.Line == 0:
		return p.Source
	}
	return fmt.Sprintf("%s:%d", p.Source, p.Line)
}

// problems collects the mistakes, and knows where each key was written.
type problems struct {
	file   string
	places map[string]place // by key
	list   []Problem

	malformed   bool // a part could not be decoded, so that values are missing
	unknownKeys bool // one of them may be a key that seems to be missing
}

// add reports a problem with a key, at the place of the key or, if it was not
// written, of the section around it.
func (p *problems) add(key, format string, args ...any) {
	at, written := p.places[key]
	for around := key; !written && around != ""; at, written = p.places[around] {
		around = around[:max(strings.LastIndexAny(around, ".["), 0)]
	}
	p.addAt(at, key, format, args...)
}

func (p *problems) addAt(at place, key, format string, args ...any) {
	p.list = append(p.list, Problem{at, key, fmt.Sprintf(format, args...)})
}

// err returns an *Error, or nil if there are no problems.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), cmp.Compare(a.Line, b.Line))
	})
	return &Error{Problems: p.list}
}
