package main

import (
	"cmp"
	"fmt"
	"time"
)

// Why a cell is empty.
const (
	noReady   = "has none"
	noConsole = "no console"
	noKeys    = "not implemented"
	failed    = "failed"
	notRun    = "not run"
)

// metric is a row of the table about one console.
type metric struct {
	what, unit string
	budget     float64
	get        func(*figures) float64
	lacks      func(subject) string // why a subject has no such figure; nil: all have
}

// at makes a metric of a percentile of a series.
func at(percent int, what string, budget time.Duration, get func(*figures) series) metric {
	what += fmt.Sprintf(", p%d", percent)
	if percent == 100 {
		what = what[:len(what)-len("p100")] + "slowest"
	}
	return metric{what: what, unit: "ms", budget: milliseconds(budget), get: func(f *figures) float64 { return get(f).at(percent) }}
}

func (m metric) where(lacks func(subject) string) metric {
	m.lacks = lacks
	return m
}

// pollSlack is what a poll and its event may take beside waiting for its turn.
const pollSlack = 200 * time.Millisecond

// metrics are the rows; the budgets are promises of docs/benchmarks.md.
func (b *bench) metrics() []metric {
	accessories := func(f *figures) series { return f.accessories }
	verify := func(f *figures) series { return f.verify }
	reads := func(f *figures) series { return f.reads }
	writes := func(f *figures) series { return f.writes }
	renames := func(f *figures) series { return f.renames }
	events := func(f *figures) series { return f.events }
	keys := func(f *figures) series { return f.keys }
	return []metric{
		at(50, "warm start: exec to listening", 0, func(f *figures) series { return f.listening }),
		at(50, "warm start: exec to /readyz", 50*time.Millisecond, func(f *figures) series { return f.ready }).where(lacksReady),
		at(100, "warm start: exec to announced", 1500*time.Millisecond, func(f *figures) series { return f.announced }),
		{"idle memory, resident", "MB", 20, func(f *figures) float64 { return f.idle.rss }, nil},
		{"idle memory, proportional share", "MB", 0, func(f *figures) float64 { return f.idle.pss }, nil},
		{"memory after load, resident", "MB", 0, func(f *figures) float64 { return f.loaded.rss }, nil},
		{"idle processor time, of a core", "%", 0.5, func(f *figures) float64 { return f.idleCPU }, nil},
		at(50, "pair-setup", 0, func(f *figures) series { return f.setup }),
		at(50, "pair-verify", 0, verify),
		at(99, "pair-verify", 0, verify),
		at(50, "GET /accessories", 0, accessories),
		at(99, "GET /accessories", 10*time.Millisecond, accessories),
		at(50, "read of two characteristics", 0, reads),
		at(99, "read of two characteristics", 5*time.Millisecond, reads),
		at(50, "write of RemoteKey, nothing pressed", 0, writes),
		at(99, "write of RemoteKey, nothing pressed", 0, writes),
		at(50, "rename of an input", 0, renames),
		at(99, "rename of an input", 0, renames),
		at(50, "rename to the event at another controller", 0, events),
		at(99, "rename to the event at another controller", 0, events),
		{"reads by 8 controllers at once", "/s", 0, func(f *figures) float64 { return f.parallel }, nil},
		at(50, "key press: write to packet", 0, keys).where(lacksKeys),
		at(99, "key press: write to packet", 10*time.Millisecond, keys).where(lacksKeys),
		at(100, "console's change of state to the event", b.poll+pollSlack, func(f *figures) series { return f.changes }).where(lacksConsole),
	}
}

func lacksReady(s subject) string {
	if s.ready == nil {
		return noReady
	}
	return ""
}

func lacksConsole(s subject) string {
	if !s.drives {
		return noConsole
	}
	return ""
}

func lacksKeys(s subject) string {
	if s.drives && !s.presses {
		return noKeys
	}
	return lacksConsole(s)
}

func names(list []subject) []string {
	var n []string
	for _, s := range list {
		n = append(n, s.name)
	}
	return n
}

func (b *bench) oneTable(list []subject, all []figures) table {
	t := table{title: fmt.Sprintf("One console, %d inputs", inputs), names: names(list)}
	for _, m := range b.metrics() {
		r := row{what: m.what, unit: m.unit, budget: m.budget}
		for i, s := range list {
			c := value(m.get(&all[i]))
			if m.lacks != nil && m.lacks(s) != "" {
				c = cell{why: m.lacks(s)}
			}
			r.cells = append(r.cells, c)
		}
		t.rows = append(t.rows, r)
	}
	return t
}

// perConsole is the budget for the memory of each further console, in MB.
const perConsole = 1

// manyTable shows all[i][k]: subject i with scale[k] consoles.
func manyTable(list []subject, scale []int, all [][]crowded) table {
	t := table{title: fmt.Sprintf("Many consoles in one process, %d inputs each", inputs), names: names(list)}
	for k, n := range scale {
		add := func(what, unit string, budget float64, get func(first, c crowded) float64) {
			r := row{what: fmt.Sprintf("%d: %s", n, what), unit: unit, budget: budget}
			for i := range list {
				first, c := all[i][0], all[i][k]
				if why := cmp.Or(first.why, c.why); why != "" {
					r.cells = append(r.cells, cell{why: why})
					continue
				}
				r.cells = append(r.cells, value(get(first, c)))
			}
			t.rows = append(t.rows, r)
		}
		add("cold start to all listening", "ms", 0, func(_, c crowded) float64 { return milliseconds(c.at.listening) })
		add("cold start to all announced", "ms", 0, func(_, c crowded) float64 { return milliseconds(c.at.announced) })
		add("memory, resident", "MB", 0, func(_, c crowded) float64 { return c.size.rss })
		if k > 0 {
			add("memory of each further console", "MB", perConsole, func(first, c crowded) float64 {
				return (c.size.rss - first.size.rss) / float64(n-scale[0])
			})
		}
		add("processor time, of a core", "%", 0, func(_, c crowded) float64 { return c.cpu })
	}
	return t
}
