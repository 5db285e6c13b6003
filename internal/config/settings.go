package config

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Setting is a key with its value and where that comes from.
type Setting struct {
	Key    string `json:"key"`    // web.listen, consoles[0].titles[1].id
	Value  string `json:"value"`  // as written: a list as ["a", "b"], a secret as [redacted]
	Source string `json:"source"` // "default", SourcePage, "config.yaml:12", the name of a variable or a flag
	Env    string `json:"env"`    // the variable of the key; empty inside a list
}

// Settings returns every key in the order of config.yaml.example. For consoles
// and titles it returns only the keys that are set.
func (c *Config) Settings() []Setting {
	if c.written == nil {
		return nil // not from this package
	}
	r, places := c.written()
	var document yaml.Node
	_ = document.Encode(r) // can't fail
	var list []Setting
	walk(&document, "", func(key string, n *yaml.Node, _ int) bool {
		if n.Kind == yaml.MappingNode || len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode {
			return true
		}
		s := Setting{Key: key, Value: n.Value, Source: places[key].String()}
		if n.Kind == yaml.SequenceNode {
			var items []string
			for _, item := range n.Content {
				items = append(items, strconv.Quote(item.Value))
			}
			s.Value = "[" + strings.Join(items, ", ") + "]"
		}
		switch key[strings.LastIndexByte(key, '.')+1:] {
		case "credential", "passcode", "setup_code", "password_hash":
			s.Value = Secret{s.Value}.String()
		}
		inList := strings.Contains(key, "[")
		if !inList {
			s.Env = envName(key)
		}
		if !inList || n.Value != "" {
			list = append(list, s)
		}
		return false
	})
	return list
}
