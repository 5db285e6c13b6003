package artcache

import (
	"context"
	"encoding/xml"
	"fmt"
	"strings"
)

// ServiceList says which services are allowed where (docs/protocol.md §8).
type ServiceList struct {
	XMLName  xml.Name  `xml:"servicelist" json:"-"`
	Version  string    `xml:"version,attr" json:"version"`
	Platform string    `xml:"platform,attr" json:"platform"`
	Services []Service `xml:"service" json:"services"`
}

// A Service is allowed or denied by default, with exceptions by country.
type Service struct {
	Name    string    `xml:"name,attr" json:"name"`       // "SNS005"
	Default string    `xml:"default,attr" json:"default"` // "allow" or "deny"
	Allow   []Country `xml:"allow" json:"allow,omitempty"`
	Deny    []Country `xml:"deny" json:"deny,omitempty"`
}

// A Country is an exception.
type Country struct {
	Code string `xml:"country,attr" json:"country"` // "jp"
}

// Allowed reports whether the service is allowed in a country; a denial wins.
func (s *Service) Allowed(country string) bool {
	for _, c := range s.Deny {
		if strings.EqualFold(c.Code, country) {
			return false
		}
	}
	for _, c := range s.Allow {
		if strings.EqualFold(c.Code, country) {
			return true
		}
	}
	return s.Default == "allow"
}

// ParseServiceList reads a service list.
func ParseServiceList(data []byte) (*ServiceList, error) {
	var l ServiceList
	if err := decodeXML(data, &l); err != nil {
		return nil, err
	}
	l.XMLName = xml.Name{Local: "servicelist"}
	cleanAll(&l.Version, &l.Platform)
	for i := range l.Services {
		s := &l.Services[i]
		if len(l.Services) > maxList || len(s.Allow) > maxList || len(s.Deny) > maxList {
			return nil, fmt.Errorf("%w: too many services", ErrMalformed)
		}
		cleanAll(&s.Name, &s.Default)
		for _, list := range [][]Country{s.Allow, s.Deny} {
			for j := range list {
				cleanAll(&list[j].Code)
			}
		}
	}
	return &l, nil
}

// FormatServiceList writes the document that ParseServiceList reads.
func FormatServiceList(l *ServiceList) []byte { return encodeXML(l) }

// LaunchList is the application launch list (docs/protocol.md §8). The list at
// hand has an empty black list: a title in it is taken from its element's
// attributes or text, whichever holds a title id.
type LaunchList struct {
	MinSystemVersion string   `json:"min_system_version"` // "01.700.000"
	BlackList        []string `json:"title_black_list"`   // title ids
}

type launchWire struct {
	XMLName xml.Name `xml:"applaunchlink"`
	System  struct {
		Min string `xml:"min_system_ver,attr"`
	} `xml:"system_info"`
	Black struct {
		Titles []titleWire `xml:",any"`
	} `xml:"title_black_list"`
}

type titleWire struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
}

// id returns the title id that the element holds, if any.
func (t titleWire) id() (string, bool) {
	for _, a := range t.Attrs {
		if id, err := ParseTitleID(a.Value); err == nil {
			return id, true
		}
	}
	id, err := ParseTitleID(strings.TrimSpace(t.Text))
	return id, err == nil
}

// ParseLaunchList reads an application launch list.
func ParseLaunchList(data []byte) (*LaunchList, error) {
	var w launchWire
	if err := decodeXML(data, &w); err != nil {
		return nil, err
	}
	l := &LaunchList{MinSystemVersion: clean(w.System.Min), BlackList: []string{}}
	for _, t := range w.Black.Titles {
		if id, ok := t.id(); ok {
			l.BlackList = append(l.BlackList, id)
		}
	}
	return l, nil
}

// FormatLaunchList writes the document that ParseLaunchList reads.
func FormatLaunchList(l *LaunchList) []byte {
	w := launchWire{XMLName: xml.Name{Local: "applaunchlink"}}
	w.System.Min = l.MinSystemVersion
	for _, id := range l.BlackList {
		w.Black.Titles = append(w.Black.Titles, titleWire{XMLName: xml.Name{Local: "title"}, Text: id})
	}
	return encodeXML(w)
}

// ServiceList returns the service list.
func (c *Cache) ServiceList(ctx context.Context) (*ServiceList, error) {
	return document(ctx, c, listResource("services", ServiceListAddress), ParseServiceList)
}

// LaunchList returns the application launch list.
func (c *Cache) LaunchList(ctx context.Context) (*LaunchList, error) {
	return document(ctx, c, listResource("launch", LaunchListAddress), ParseLaunchList)
}

func listResource(name, url string) resource {
	return resource{key: "lists/" + name, url: url, accept: "text/xml", fresh: freshList}
}
