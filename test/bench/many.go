package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// crowded is a subject with several consoles.
type crowded struct {
	at   started
	size size
	cpu  float64 // percent of a core
	why  string  // it was not measured
}

// peerConsoles is how many consoles the peers get at most: announcing takes them a
// second each.
const peerConsoles = 32

// manyConsoles measures how the subjects grow with the number of consoles.
func (b *bench) manyConsoles(ctx context.Context) (table, error) {
	list := subjects()
	all := make([][]crowded, len(list))
	for _, n := range b.scale {
		if err := b.moreConsoles(n); err != nil {
			return table{}, err
		}
		for i, s := range list {
			if n > peerConsoles && !s.presses {
				all[i] = append(all[i], crowded{why: notRun})
				continue
			}
			b.say("%s: %d consoles", s.name, n)
			c, err := b.manyOf(ctx, s, n)
			if ctx.Err() != nil || err != nil && s.presses {
				return table{}, err
			}
			if err != nil { // a peer may not go so far
				c = crowded{why: failed}
				b.say("%v", err)
			}
			all[i] = append(all[i], c)
		}
	}
	return manyTable(list, b.scale, all), nil
}

func (b *bench) manyOf(ctx context.Context, s subject, n int) (c crowded, err error) {
	srv, err := b.launch(ctx, s, filepath.Join(b.dir, fmt.Sprintf("%s-many-%d", s.name, n)), n)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, srv.stop()) }()
	c.at = srv.at
	pause(ctx, b.settle)
	if c.cpu, err = srv.share(ctx, b.idle); err != nil {
		return c, err
	}
	c.size, err = srv.size()
	return c, err
}
