package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Setting is one key with the value that holds.
type Setting struct {
	Key    string // web.listen, consoles[0].titles[1].id
	Value  string // as written: a list as ["a", "b"], a secret as [redacted], nothing as ""
	Source string // "default", "config.yaml:12" or the name of the environment variable
	Env    string // the variable that sets it; empty for what is inside a list
}

// Settings lists every key, in the order of config.yaml.example, with its value and where that came from. Of a console
// and of a title it lists what is set.
func (c *Config) Settings() []Setting {
	if c.settings == nil {
		return nil // it was not loaded
	}
	return slices.Clone(c.settings())
}

func listSettings(r raw, p *problems) []Setting {
	var list []Setting
	for _, l := range leaves("", reflect.ValueOf(r)) {
		if isSections(l.field.typ) && l.value.Len() > 0 {
			list = append(list, itemSettings(l, p)...)
			continue
		}
		s := setting(l, p)
		s.Env = envName(l.path)
		list = append(list, s)
	}
	return list
}

// itemSettings lists what is set in the items of a list of sections.
func itemSettings(list leaf, p *problems) []Setting {
	var settings []Setting
	for i := range list.value.Len() {
		for _, l := range leaves(fmt.Sprintf("%s[%d]", list.path, i), list.value.Index(i)) {
			switch {
			case isSections(l.field.typ):
				settings = append(settings, itemSettings(l, p)...)
			case !l.value.IsZero():
				settings = append(settings, setting(l, p))
			}
		}
	}
	return settings
}

func setting(l leaf, p *problems) Setting {
	return Setting{Key: l.path, Value: valueText(l), Source: p.places[l.path].String()}
}

func valueText(l leaf) string {
	switch {
	case l.field.secret && !l.value.IsZero():
		return redacted
	case isSections(l.field.typ):
		return "[]"
	case l.field.typ.Kind() == reflect.Slice:
		return listText(l.value)
	}
	return fmt.Sprint(l.value.Interface())
}

// listText is a list of texts in YAML.
func listText(list reflect.Value) string {
	items := make([]string, list.Len())
	for i := range items {
		items[i] = strconv.Quote(list.Index(i).String())
	}
	return "[" + strings.Join(items, ", ") + "]"
}
