package config

import (
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readEnv reads the variable of every key: the values by the path of the key.
func readEnv(lookupEnv func(string) (string, bool), p *problems) map[string]any {
	values := map[string]any{}
	for _, l := range leaves("", reflect.ValueOf(raw{})) {
		name := envName(l.path)
		text, _ := lookupEnv(name)
		if text == "" {
			continue
		}
		forget(p, l.path)
		r := &reader{source: name, problems: p}
		node := r.envNode(text, l.field.typ)
		if node == nil {
			continue
		}
		if v, ok := r.value(node, l.field.typ, l.path, 0); ok {
			values[l.path] = v
		}
	}
	return values
}

// forget drops the places of a key that a variable replaces.
func forget(p *problems, path string) {
	for known := range p.places {
		if known == path || strings.HasPrefix(known, path+"[") {
			delete(p.places, known)
		}
	}
}

// envNode makes the node that a variable stands for: text as it is, a number or a boolean, a list with commas, or YAML
// (which JSON is, too) for a list of sections and for a list that starts with a bracket.
func (r *reader) envNode(text string, t reflect.Type) *yaml.Node {
	switch {
	case t.Kind() == reflect.String:
		return textNode(text)
	case t.Kind() != reflect.Slice:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: strings.TrimSpace(text)}
	case isSections(t), strings.HasPrefix(strings.TrimSpace(text), "["):
		return r.parse([]byte(text))
	}
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list.Content = append(list.Content, textNode(item))
		}
	}
	return list
}

func textNode(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}
