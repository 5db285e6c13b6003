package graphcheck

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Finding is a violation of a rule.
type Finding struct {
	Rule  string // section and row of docs/homekit.md: "§2 Television"
	Where string // "aid 1, iid 33"; empty if it concerns everything
	What  string
}

func (f Finding) String() string {
	if f.Where == "" {
		return f.Rule + ": " + f.What
	}
	return f.Rule + " (" + f.Where + "): " + f.What
}

// The answer to GET /accessories.
type (
	database struct {
		Accessories []accessory `json:"accessories"`
	}
	accessory struct {
		ID       uint64    `json:"aid"`
		Services []service `json:"services"`
	}
	service struct {
		ID      uint64   `json:"iid"`
		Type    string   `json:"type"`
		Primary bool     `json:"primary"`
		Hidden  bool     `json:"hidden"`
		Linked  []uint64 `json:"linked"`
		Cs      []char   `json:"characteristics"`
	}
	char struct {
		ID     uint64          `json:"iid"`
		Type   string          `json:"type"`
		Format string          `json:"format"`
		Perms  []string        `json:"perms"`
		Value  json.RawMessage `json:"value"`
		Min    *float64        `json:"minValue"`
		Max    *float64        `json:"maxValue"`
		Valid  []int           `json:"valid-values"`
	}
)

// Check returns every violation in an answer to GET /accessories. It returns an
// error if the answer cannot be parsed.
func Check(answer []byte) ([]Finding, error) {
	var db database
	if err := json.Unmarshal(answer, &db); err != nil {
		return nil, fmt.Errorf("parsing the answer to GET /accessories: %w", err)
	}
	c := &checker{}
	c.accessories(db.Accessories)
	return c.found, nil
}

// checker collects findings.
type checker struct{ found []Finding }

func (c *checker) add(rule, where, what string, args ...any) {
	c.found = append(c.found, Finding{rule, where, fmt.Sprintf(what, args...)})
}

// want adds a finding unless ok.
func (c *checker) want(ok bool, rule, where, what string, args ...any) {
	if !ok {
		c.add(rule, where, what, args...)
	}
}

func (s *service) all(kind string) []*char {
	var list []*char
	for i := range s.Cs {
		if short(s.Cs[i].Type) == kind {
			list = append(list, &s.Cs[i])
		}
	}
	return list
}

// one returns the first characteristic of a type, or an empty one; the check
// against the table reports that it is missing.
func (s *service) one(kind string) *char {
	if list := s.all(kind); len(list) > 0 {
		return list[0]
	}
	return &char{}
}

func (a *accessory) all(kind string) []*service {
	var list []*service
	for i := range a.Services {
		if short(a.Services[i].Type) == kind {
			list = append(list, &a.Services[i])
		}
	}
	return list
}

// text returns a value that is a string, or "".
func (c *char) text() string {
	var s string
	_ = json.Unmarshal(c.Value, &s)
	return s
}

// number returns a value that is a number, or -1, which no rule allows.
func (c *char) number() int {
	var n int
	if bytes.Equal(c.Value, []byte("null")) || json.Unmarshal(c.Value, &n) != nil {
		return -1
	}
	return n
}

// short returns the short form of a type: E7 for
// 000000E7-0000-1000-8000-0026BB765291.
func short(uuid string) string {
	base, _ := strings.CutSuffix(strings.ToUpper(uuid), "-0000-1000-8000-0026BB765291")
	return strings.TrimLeft(base, "0")
}
