package artcache

import (
	"context"
	"encoding/xml"
	"fmt"
)

// SystemUpdates is the system update list of a region. The shape is that of
// lists quoted by other readers; no real body was at hand.
type SystemUpdates struct {
	XMLName xml.Name       `xml:"update_data_list" json:"-"`
	Regions []SystemRegion `xml:"region" json:"regions"`
}

// A SystemRegion is what a list says for one region.
type SystemRegion struct {
	ID       string           `xml:"id,attr" json:"region"` // "us"
	System   SystemUpdate     `xml:"system_pup" json:"system"`
	Recovery []SystemRecovery `xml:"recovery_pup" json:"recovery,omitempty"`
}

// A SystemUpdate is a version of the system software.
type SystemUpdate struct {
	Version    string      `xml:"version,attr" json:"version"`               // "09.508.000"
	Label      string      `xml:"label,attr" json:"label"`                   // "9.50"
	SDKVersion string      `xml:"sdk_version,attr" json:"sdk_version"`       //
	Images     []ImageFile `xml:"update_data>image" json:"images,omitempty"` //
}

// A SystemRecovery is the whole system software, for a console that has none.
type SystemRecovery struct {
	Type   string       `xml:"type,attr" json:"type"`
	System SystemUpdate `xml:"system_pup" json:"system"`
	Images []ImageFile  `xml:"image" json:"images,omitempty"`
}

// An ImageFile is a file of system software; its address is not fetched.
type ImageFile struct {
	Size int64  `xml:"size,attr" json:"size"` // bytes
	URL  string `xml:",chardata" json:"url"`
}

// ParseSystemUpdates reads a system update list.
func ParseSystemUpdates(data []byte) (*SystemUpdates, error) {
	var u SystemUpdates
	if err := decodeXML(data, &u); err != nil {
		return nil, err
	}
	if len(u.Regions) == 0 || len(u.Regions) > maxList {
		return nil, fmt.Errorf("%w: no system update list", ErrMalformed)
	}
	u.XMLName = xml.Name{Local: "update_data_list"}
	for i := range u.Regions {
		r := &u.Regions[i]
		cleanAll(&r.ID)
		r.System.clean()
		for j := range r.Recovery {
			cleanAll(&r.Recovery[j].Type)
			r.Recovery[j].System.clean()
			cleanImages(r.Recovery[j].Images)
		}
	}
	return &u, nil
}

func (s *SystemUpdate) clean() {
	cleanAll(&s.Version, &s.Label, &s.SDKVersion)
	cleanImages(s.Images)
}

func cleanImages(images []ImageFile) {
	for i := range images {
		cleanAll(&images[i].URL)
	}
}

// FormatSystemUpdates writes the document that ParseSystemUpdates reads.
func FormatSystemUpdates(u *SystemUpdates) []byte { return encodeXML(u) }

// SystemUpdates returns the system update list of a region such as "us" or
// "eu".
func (c *Cache) SystemUpdates(ctx context.Context, region string) (*SystemUpdates, error) {
	if !isCode(region) {
		return nil, fmt.Errorf("%w: region %.20q", ErrAddress, region)
	}
	return document(ctx, c, listResource("system-"+region, SystemUpdatesAddress(region)), ParseSystemUpdates)
}
