package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is everything that is wrong with a configuration: first what the file says, by line, then the environment.
type Error struct {
	Problems []Problem // at least one
}

// Error has one line for each problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Problem is one thing to mend.
type Problem struct {
	Source  string // the file, or the environment variable
	Line    int    // counts from 1; 0 where no line is known, and for a variable that is not YAML
	Key     string // such as consoles[0].titles[2].id, items counting from 0; empty where no key is known
	Message string // what is wrong and what to do; never holds a secret
}

// String is "config.yaml:12: web.listen: what is wrong".
func (p Problem) String() string {
	parts := []string{place{p.Source, p.Line}.String()}
	if p.Key != "" {
		parts = append(parts, p.Key)
	}
	return strings.Join(append(parts, p.Message), ": ")
}

// place is where a value was written; the zero value is a default.
type place struct {
	source string
	line   int
}

func (p place) String() string {
	switch {
	case p.source == "":
		return "default"
	case p.line == 0:
		return p.source
	}
	return fmt.Sprintf("%s:%d", p.source, p.line)
}

// problems collects what is wrong, and knows where each key was written.
type problems struct {
	file   string           // the configuration file, or empty
	places map[string]place // of what was written, by path
	list   []Problem
}

// add reports a problem with the value of a key.
func (p *problems) add(path, format string, args ...any) {
	p.addAt(p.places[path], path, format, args...)
}

// addAt reports a problem whose place is known better than by its key.
func (p *problems) addAt(at place, path, format string, args ...any) {
	p.list = append(p.list, Problem{at.source, at.line, path, fmt.Sprintf(format, args...)})
}

// clean reports whether nothing has been found wrong with a key or anything below it.
func (p *problems) clean(path string) bool {
	return !slices.ContainsFunc(p.list, func(q Problem) bool {
		rest, ok := strings.CutPrefix(q.Key, path)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// err is nil when nothing is wrong.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b Problem) int {
		return cmp.Or(p.rank(a)-p.rank(b), strings.Compare(a.Source, b.Source), cmp.Compare(a.Line, b.Line))
	})
	return &Error{Problems: p.list}
}

// rank puts the file before the environment.
func (p *problems) rank(q Problem) int {
	if q.Source == p.file {
		return 0
	}
	return 1
}
