package config

import (
	"reflect"
	"strings"
	"sync"
)

// field is one key of a section.
type field struct {
	name   string
	typ    reflect.Type
	index  []int
	secret bool
}

// known has the fields of each section that was looked at: a file has many of the same type.
var known sync.Map // []field by reflect.Type

// fields lists the keys of a section, a struct of raw.go, in the order of its fields.
func fields(section reflect.Type) []field {
	if list, ok := known.Load(section); ok {
		return list.([]field)
	}
	var list []field
	for _, f := range reflect.VisibleFields(section) {
		if f.Anonymous {
			continue // its own fields follow
		}
		list = append(list, field{f.Tag.Get("mapstructure"), f.Type, f.Index, f.Tag.Get("secret") != ""})
	}
	known.Store(section, list)
	return list
}

// leaf is a key that holds a value: anything but a section. The whole list of consoles is one.
type leaf struct {
	path  string
	field field
	value reflect.Value
}

// leaves lists the leaves of a section whose path is prefix ("" for the whole).
func leaves(prefix string, section reflect.Value) []leaf {
	var list []leaf
	for _, f := range fields(section.Type()) {
		path, value := join(prefix, f.name), section.FieldByIndex(f.index)
		if f.typ.Kind() == reflect.Struct {
			list = append(list, leaves(path, value)...)
			continue
		}
		list = append(list, leaf{path, f, value})
	}
	return list
}

// isSections reports whether a key holds a list of sections.
func isSections(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct
}

// envName is the environment variable of a key: web.listen has PS4KIT_WEB_LISTEN.
func envName(path string) string {
	return "PS4KIT_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// join appends a key to the path of its section.
func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}
