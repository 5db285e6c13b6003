package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decode decodes the YAML of a source strictly into out, and records the lines
// of its keys. The root is the key that out belongs to.
func (p *problems) decode(source, root string, text []byte, out any) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var document yaml.Node
	lines := map[int][]string{} // keys by line
	mistagged := false
	err := yaml.Unmarshal(text, &document)
	if err == nil {
		err = decoder.Decode(out)
		merged := strings.NewReplacer(".<<", "", "<<.", "")
		walk(&document, root, func(key string, n *yaml.Node, line int) bool {
			lines[line] = append(lines[line], key)
			if n.Style&yaml.TaggedStyle != 0 && n.Kind == yaml.ScalarNode && n.Decode(new(any)) != nil {
				mistagged = true // the decoder's error quotes the value, which may be a secret
				p.addAt(place{source, line}, key, "does not fit its YAML tag: remove the tag")
			}
			if n.Tag != "!!null" {
				p.places[merged.Replace(key)] = place{source, line}
			}
			return len(p.places) < 10_000 && len(key) < 200 // aliases may multiply, or contain themselves
		})
	}
	var mismatches *yaml.TypeError
	switch {
	case mistagged:
		p.malformed = true
	case errors.As(err, &mismatches):
		for _, text := range mismatches.Errors {
			p.mismatch(source, lines, text)
		}
	case err != nil && !errors.Is(err, io.EOF):
		p.malformed = true
		line, message := syntaxError(err)
		p.addAt(place{source, line}, "", "invalid YAML: %s", message)
	case err == nil && !errors.Is(decoder.Decode(&document), io.EOF):
		p.addAt(place{Source: source}, "", "holds several documents: remove the --- between them")
	}
}

// walk calls visit for each key and list item below n as they are written, and
// descends if it returns true. Like the decoder, it skips items without a value.
func walk(n *yaml.Node, key string, visit func(key string, value *yaml.Node, line int) bool) {
	switch n.Kind {
	case yaml.AliasNode:
		walk(n.Alias, key, visit)
	case yaml.DocumentNode:
		walk(n.Content[0], key, visit)
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			name, value := n.Content[i], n.Content[i+1]
			if below := join(key, name.Value); visit(below, value, name.Line) {
				walk(value, below, visit)
			}
		}
	case yaml.SequenceNode:
		items := slices.DeleteFunc(slices.Clone(n.Content), func(item *yaml.Node) bool { return item.Tag == "!!null" })
		for i, item := range items {
			if below := fmt.Sprintf("%s[%d]", key, i); visit(below, item, item.Line) {
				walk(item, below, visit)
			}
		}
	}
}

func join(section, name string) string {
	return strings.TrimPrefix(section+"."+name, ".")
}

// syntaxError returns the line of an error of the yaml package, 0 if it has
// none, and its message.
func syntaxError(err error) (line int, message string) {
	message = strings.TrimPrefix(err.Error(), "yaml: ")
	if n, _ := fmt.Sscanf(message, "line %d:", &line); n == 1 {
		_, message, _ = strings.Cut(message, ": ")
	}
	// The package's parser, unlike its scanner, counts lines from 0.
	if regexp.MustCompile(`^did not find expected (<|node content|'-' indicator|key|',' or)`).MatchString(message) {
		line++
	}
	if strings.Contains(message, "cannot start any token") {
		message += " (indent with spaces, not tabs, and quote text with special characters)"
	}
	return line, message
}

// mismatch reports an error of a yaml.TypeError without the value that it
// quotes, which may be a secret in the wrong place.
func (p *problems) mismatch(source string, lines map[int][]string, text string) {
	at := place{Source: source}
	_, _ = fmt.Sscanf(text, "line %d:", &at.Line)
	_, text, _ = strings.Cut(text, ": ")
	if name, ok := strings.CutPrefix(text, "field "); ok {
		name, _, _ = strings.Cut(name, " not found in type ")
		for _, key := range lines[at.Line] {
			if section, ok := strings.CutSuffix("."+key, "."+name); ok {
				p.unknownKey(at, strings.TrimPrefix(section, "."), name)
				return
			}
		}
	}
	p.malformed = true
	if kinds, ok := strings.CutPrefix(text, "cannot unmarshal "); ok {
		found, _, _ := strings.Cut(kinds, " ")
		_, wanted, _ := strings.Cut(kinds, " into ")
		p.addAt(at, "", "found %s where %s belongs", kind(found), kind(wanted))
		return
	}
	p.addAt(at, "", "repeats a key of its section: remove one")
}

// kind describes a YAML tag or a Go type.
func kind(name string) string {
	switch {
	case name == "!!seq", strings.HasPrefix(name, "[]"):
		return "a list"
	case strings.HasPrefix(name, "!!") && name != "!!map", name == "string":
		return "a single value"
	}
	return "a section of keys"
}

// unknownKey reports a key that its section lacks.
func (p *problems) unknownKey(at place, section, name string) {
	p.unknownKeys = true
	if len(name) > 40 {
		p.addAt(at, section, "unknown key, not shown because it may be a secret")
		return
	}
	p.addAt(at, section, "unknown key %q%s", name, didYouMean(name, keysOf(section)))
}

// keysOf returns the keys of a section.
func keysOf(section string) []string {
	var document yaml.Node
	_ = document.Encode(raw{Consoles: []rawConsole{{Titles: []rawTitle{{}}}}}) // can't fail
	section = regexp.MustCompile(`\[\d+\]`).ReplaceAllString(section, "[0]")
	var names []string
	if strings.HasSuffix(section, "remote") || strings.HasSuffix(section, "double") {
		names = RemoteKeys()
	}
	walk(&document, "", func(key string, _ *yaml.Node, _ int) bool {
		if name := key[strings.LastIndexByte(key, '.')+1:]; join(section, name) == key {
			names = append(names, name)
		}
		return true
	})
	return names
}

// didYouMean returns the end of a message: the first of the known names that
// differs from name in one place by a few letters, if there is one.
func didYouMean(name string, known []string) string {
	name = strings.ToLower(strings.ReplaceAll(name, "-", "_"))
	for _, candidate := range known {
		same, k := 0, strings.ToLower(candidate)
		for same < min(len(name), len(k)) && name[same] == k[same] {
			same++
		}
		for a, b := name[same:], k[same:]; a != "" && b != "" && a[len(a)-1] == b[len(b)-1]; same++ {
			a, b = a[:len(a)-1], b[:len(b)-1]
		}
		if max(len(name), len(k))-same <= min(max(len(k)/3, 1), 2) {
			return ", did you mean " + candidate + "?"
		}
	}
	return ""
}
