package artcache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Product is a title container of the PS Store (docs/protocol.md §8).
type Product struct {
	ContentID   string        `json:"content_id,omitempty"`
	Name        string        `json:"name"`
	ContentType []ContentType `json:"content_types,omitempty"`
	Provider    string        `json:"provider,omitempty"`
	ReleaseDate string        `json:"release_date,omitempty"` // RFC 3339
	Region      Region        `json:"region"`                 // where it was found
}

// A ContentType is what kind of product it is: key "APP", name "App".
type ContentType struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

type productWire struct {
	ID          string        `json:"id,omitempty"`
	TitleName   string        `json:"title_name"`
	Types       []ContentType `json:"gameContentTypesList,omitempty"`
	Provider    string        `json:"provider_name,omitempty"`
	ReleaseDate string        `json:"release_date,omitempty"`
}

// ParseContainer reads a title container.
func ParseContainer(data []byte) (*Product, error) {
	var w productWire
	if err := decodeJSON(data, &w); err != nil {
		return nil, err
	}
	p := &Product{Name: clean(w.TitleName), Provider: clean(w.Provider), ReleaseDate: clean(w.ReleaseDate)}
	if p.Name == "" || len(w.Types) > maxList {
		return nil, fmt.Errorf("%w: no title container", ErrMalformed)
	}
	if isContentID(w.ID) {
		p.ContentID = w.ID
	}
	for _, t := range w.Types {
		p.ContentType = append(p.ContentType, ContentType{Name: clean(t.Name), Key: clean(t.Key)})
	}
	return p, nil
}

// FormatContainer writes the document that ParseContainer reads; the region is
// not part of it.
func FormatContainer(p *Product) []byte {
	data, _ := json.Marshal(productWire{ // strings alone: cannot fail
		ID: p.ContentID, TitleName: p.Name, Types: p.ContentType, Provider: p.Provider, ReleaseDate: p.ReleaseDate,
	})
	return data
}

// info makes of a container what it can say of a title.
func (p *Product) info(id string) *Info {
	info := &Info{ID: id, Names: []Name{{Text: p.Name}}, ContentID: p.ContentID, FromStore: true}
	if len(p.ContentType) > 0 {
		info.Category = p.ContentType[0].Key
	}
	return info
}

// Container returns the PS Store's title container of a title: in the
// configured region, else in those that storeRegions falls back to.
func (c *Cache) Container(ctx context.Context, titleID string) (*Product, error) {
	var last error
	for _, r := range storeRegions(c.opts.Language, c.opts.Country) {
		p, err := c.ContainerIn(ctx, titleID, r)
		if err == nil || !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrMalformed) {
			return p, err
		}
		last = err
	}
	return nil, last
}

// ContainerIn returns the title container of one region of the store; see
// FindRegion for a region by its country's name.
func (c *Cache) ContainerIn(ctx context.Context, titleID string, in Region) (*Product, error) {
	id, err := ParseTitleID(titleID)
	if err != nil {
		return nil, err
	}
	if !isCode(in.Country) || !isCode(in.Language) {
		return nil, fmt.Errorf("%w: region %.20q/%.20q", ErrAddress, in.Language, in.Country)
	}
	p, err := document(ctx, c, c.containerResource(id, in), ParseContainer)
	if err != nil {
		return nil, err
	}
	p.Region = in
	return p, nil
}

func (c *Cache) containerResource(id string, in Region) resource {
	return resource{
		key:    "container/" + in.Country + "-" + in.Language + "-" + id,
		url:    ContainerAddress{Country: in.Country, Language: in.Language, TitleID: id}.String(),
		accept: "application/json", fresh: freshInfo,
		describe: func(body []byte) *brief {
			p, err := ParseContainer(body)
			if err != nil {
				return nil
			}
			return c.briefOf(p.info(id))
		},
	}
}
