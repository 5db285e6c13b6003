package artcache

import (
	"context"
	"encoding/xml"
	"fmt"
)

// PlayGo is a PlayGo manifest: which chunks a patch has, and in what scenarios
// they are installed. No real body was at hand: the shape is that of the
// manifests inside packages, and only its chunks and scenarios are read.
type PlayGo struct {
	XMLName   xml.Name   `xml:"psproject" json:"-"`
	Chunks    []Chunk    `xml:"volume>chunk_info>chunks>chunk" json:"chunks"`
	Scenarios []Scenario `xml:"volume>chunk_info>scenarios>scenario" json:"scenarios"`
}

// A Chunk is a part of a title that can be installed by itself.
type Chunk struct {
	ID    int    `xml:"id,attr" json:"id"`
	Label string `xml:"label,attr" json:"label,omitempty"`
}

// A Scenario is an order in which chunks are installed.
type Scenario struct {
	ID      int    `xml:"id,attr" json:"id"`
	Type    string `xml:"type,attr" json:"type,omitempty"`
	Label   string `xml:"label,attr" json:"label,omitempty"`
	Initial int    `xml:"initial_chunk_count,attr" json:"initial_chunks"` // needed before the title starts
}

// ParsePlayGo reads a PlayGo manifest.
func ParsePlayGo(data []byte) (*PlayGo, error) {
	var p PlayGo
	if err := decodeXML(data, &p); err != nil {
		return nil, err
	}
	if len(p.Chunks) > maxList || len(p.Scenarios) > maxList {
		return nil, fmt.Errorf("%w: too many chunks", ErrMalformed)
	}
	p.XMLName = xml.Name{Local: "psproject"}
	for i := range p.Chunks {
		cleanAll(&p.Chunks[i].Label)
	}
	for i := range p.Scenarios {
		cleanAll(&p.Scenarios[i].Label, &p.Scenarios[i].Type)
	}
	return &p, nil
}

// FormatPlayGo writes the document that ParsePlayGo reads.
func FormatPlayGo(p *PlayGo) []byte { return encodeXML(p) }

// PlayGo returns the PlayGo manifest of a patch, by the address of any of its
// files.
func (c *Cache) PlayGo(ctx context.Context, address string) (*PlayGo, error) {
	a, _, err := ParsePackageAddress(canonical(c.fetcher.sites, address))
	if err != nil {
		return nil, err
	}
	r := packagesResource(a.File(PlayGoFile))
	r.accept = "text/xml"
	return document(ctx, c, r, ParsePlayGo)
}
