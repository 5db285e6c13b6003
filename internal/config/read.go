package config

import (
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// maxNodes bounds what one file or variable may make, aliases followed: a few lines of them can stand for billions of nodes.
const maxNodes = 50_000

// reader turns YAML nodes into plain values of the types that raw.go asks for, and notes where each was written. What does
// not fit is reported and left out.
type reader struct {
	source   string // file or environment variable
	problems *problems
	nodes    int
}

// value reads what was written for a path at a line. It reports false when there is nothing: it was wrong, or empty.
func (r *reader) value(n *yaml.Node, t reflect.Type, path string, line int) (any, bool) {
	if n = r.resolve(n, line); n == nil || n.ShortTag() == "!!null" {
		return nil, false
	}
	r.problems.places[path] = place{r.source, line}
	switch {
	case t.Kind() == reflect.Struct:
		return r.section(n, t, path)
	case t.Kind() == reflect.Slice:
		return r.items(n, t.Elem(), path)
	}
	return r.scalar(n, t, path)
}

// resolve follows an alias. It returns nil once there are too many nodes.
func (r *reader) resolve(n *yaml.Node, line int) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if r.nodes++; r.nodes < maxNodes {
		return n
	}
	if r.nodes == maxNodes {
		r.problems.addAt(place{r.source, line}, "", "there is too much here: at most %d values are read", maxNodes)
	}
	return nil
}

func (r *reader) section(n *yaml.Node, t reflect.Type, path string) (any, bool) {
	if n.Kind != yaml.MappingNode {
		r.problems.add(path, "must be a section of keys, not %s", kindName(n))
		return nil, false
	}
	section, seen := map[string]any{}, map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		f, ok := r.key(key, t, path, seen)
		if !ok {
			continue
		}
		if v, ok := r.value(value, f.typ, join(path, f.name), key.Line); ok {
			section[f.name] = v
		}
	}
	return section, true
}

// key finds the field that a key names. seen holds the lines of the section's keys so far.
func (r *reader) key(n *yaml.Node, t reflect.Type, path string, seen map[string]int) (field, bool) {
	name, at := n.Value, place{r.source, n.Line}
	if n.Kind != yaml.ScalarNode || len(name) > 40 { // a long one may be a secret that was pasted in the wrong place
		r.problems.addAt(at, path, "what is here is not a key: write KEY: VALUE")
		return field{}, false
	}
	if line, twice := seen[name]; twice {
		r.problems.addAt(at, join(path, name), "is written twice, first on line %d: remove one", line)
		return field{}, false
	}
	seen[name] = n.Line
	for _, f := range fields(t) {
		if f.name == name {
			return f, true
		}
	}
	r.problems.addAt(at, join(path, printable(name)), "%s", unknownKey(t, path, name))
	return field{}, false
}

func (r *reader) items(n *yaml.Node, t reflect.Type, path string) (any, bool) {
	if n.Kind != yaml.SequenceNode {
		r.problems.add(path, "must be a list, not %s: write [A, B]", kindName(n))
		return nil, false
	}
	items := []any{}
	for i, item := range n.Content {
		itemPath := fmt.Sprintf("%s[%d]", path, i)
		r.problems.places[itemPath] = place{r.source, item.Line} // an empty one, too
		v, ok := r.value(item, t, itemPath, item.Line)
		if r.nodes >= maxNodes {
			return nil, false
		}
		if !ok {
			v = reflect.Zero(t).Interface() // found empty later; those that follow keep their place
		}
		items = append(items, v)
	}
	return items, true
}

// scalar reads a text, an integer or a boolean. A text is taken as written, even where YAML sees a number: an unquoted 0123
// or 001122334455 would be another one otherwise.
func (r *reader) scalar(n *yaml.Node, t reflect.Type, path string) (any, bool) {
	wanted, target := "text", reflect.New(t)
	switch t.Kind() {
	case reflect.Int:
		wanted = "a whole number"
	case reflect.Bool:
		wanted = "true or false"
	}
	if n.Kind == yaml.ScalarNode && fits(n.ShortTag(), t.Kind()) {
		if t.Kind() == reflect.String {
			return n.Value, true
		}
		if n.Decode(target.Interface()) == nil {
			return target.Elem().Interface(), true
		}
		r.problems.add(path, "is not a number that can be used")
		return nil, false
	}
	r.problems.add(path, "must be %s, not %s", wanted, kindName(n))
	return nil, false
}

func fits(tag string, kind reflect.Kind) bool {
	switch tag {
	case "!!int":
		return kind == reflect.Int || kind == reflect.String
	case "!!bool":
		return kind == reflect.Bool || kind == reflect.String
	case "!!str", "!!float", "!!timestamp":
		return kind == reflect.String
	}
	return false
}

// kindName names what was found, without its value: that may be a secret in the wrong place.
func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!str", "!!timestamp":
		return "text"
	}
	return "a value of type " + printable(n.ShortTag())
}
