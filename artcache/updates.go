package artcache

import (
	"context"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
)

// Updates is a title's update description (docs/protocol.md §8).
type Updates struct {
	XMLName  xml.Name `xml:"titlepatch" json:"-"`
	TitleID  string   `xml:"titleid,attr" json:"title_id"`
	Packages []Update `xml:"tag>package" json:"packages"`
}

// An Update is one package of an update description.
type Update struct {
	Version       string `xml:"version,attr" json:"version"` // "01.18"
	Size          int64  `xml:"size,attr" json:"size"`       // bytes
	Digest        string `xml:"digest,attr" json:"digest,omitempty"`
	Manifest      string `xml:"manifest_url,attr" json:"manifest_url,omitempty"` // update description JSON: see Packages
	ContentID     string `xml:"content_id,attr" json:"content_id,omitempty"`
	SystemVersion string `xml:"system_ver,attr" json:"system_version,omitempty"` // as sent: see RequiredSystem
	Type          string `xml:"type,attr" json:"type,omitempty"`
	Delta         Link   `xml:"delta_info_set" json:"delta"` // the cumulative package
	Title         string `xml:"paramsfo>title" json:"title,omitempty"`
}

// A Link is an element with an address.
type Link struct {
	URL string `xml:"url,attr" json:"url,omitempty"`
}

// ParseUpdates reads an update description XML. Strings come out safe to print.
func ParseUpdates(data []byte) (*Updates, error) {
	var u Updates
	if len(strings.TrimSpace(string(data[:min(len(data), 64)]))) == 0 {
		return nil, fmt.Errorf("%w: no updates", ErrNotFound) // sent for a title that has none
	}
	if err := decodeXML(data, &u); err != nil {
		return nil, err
	}
	id, err := ParseTitleID(u.TitleID)
	if err != nil || len(u.Packages) > maxList {
		return nil, fmt.Errorf("%w: no update description", ErrMalformed)
	}
	u.XMLName, u.TitleID = xml.Name{Local: "titlepatch"}, id
	for i := range u.Packages {
		p := &u.Packages[i]
		cleanAll(&p.Version, &p.Digest, &p.Manifest, &p.ContentID, &p.SystemVersion, &p.Type, &p.Delta.URL, &p.Title)
		if p.Size < 0 {
			return nil, fmt.Errorf("%w: a package of negative size", ErrMalformed)
		}
	}
	return &u, nil
}

// FormatUpdates writes the document that ParseUpdates reads.
func FormatUpdates(u *Updates) []byte { return encodeXML(u) }

// Latest returns the package with the highest version, nil if there is none.
func (u *Updates) Latest() *Update {
	var best *Update
	for i := range u.Packages {
		if p := &u.Packages[i]; best == nil || p.Version > best.Version { // "01.18": fixed width
			best = p
		}
	}
	return best
}

// RequiredSystem returns the system version that an update needs, as "9.50".
// system_ver is sent as the decimal of a number whose hex digits are the
// version, 33751040 for 2.03 (from readers of these documents; docs/protocol.md
// §8 does not say); anything else is returned as it came.
func (u *Update) RequiredSystem() string {
	n, err := strconv.ParseUint(u.SystemVersion, 10, 32)
	if err != nil || n < 1<<24 {
		return u.SystemVersion
	}
	return fmt.Sprintf("%x.%02x", n>>24, n>>16&0xff)
}

// Updates returns a title's update description. ErrNotFound means that the
// title has no update, or is not known.
func (c *Cache) Updates(ctx context.Context, titleID string) (*Updates, error) {
	id, err := ParseTitleID(titleID)
	if err != nil {
		return nil, err
	}
	r := resource{key: "updates/" + id, url: UpdatesAddress(id), accept: "text/xml", fresh: freshUpdates}
	return document(ctx, c, r, func(data []byte) (*Updates, error) {
		u, err := ParseUpdates(data)
		if err == nil && u.TitleID != id {
			return nil, fmt.Errorf("%w: updates of another title", ErrMalformed)
		}
		return u, err
	})
}
