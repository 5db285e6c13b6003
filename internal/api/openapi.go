package api

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

type object = map[string]any

// document returns the OpenAPI description of every operation, made from the
// table and the types of its requests and results.
func document() object {
	s := schemas{}
	paths := map[string]object{}
	for _, o := range operations() {
		if paths[o.path] == nil {
			paths[o.path] = object{}
		}
		paths[o.path][strings.ToLower(o.method)] = s.operation(o)
	}
	refusal := s.of(reflect.TypeFor[refusal]())
	return object{
		"openapi": "3.1.0",
		"info": object{
			"title": "ps4kit", "version": "1", "summary": "PlayStation consoles as televisions in Apple Home",
			"description": "x-access is the right an operation requires, each including the ones before it: read and control are " +
				"those of tokens; setup and owner require a person signed in to the page (tokens made with the access admin, which " +
				"can no longer be made, include setup); socket means the unix socket control.sock in the state directory, which " +
				"needs no token and serves everything but session, tokens and setPassword.",
			"license": object{"name": "MIT", "identifier": "MIT"},
		},
		"servers":  []object{{"url": Prefix}},
		"security": []object{{"token": []string{}}, {"session": []string{}}},
		"paths":    paths,
		"components": object{
			"schemas": s,
			"responses": object{"Refusal": content("Not done. 400, 413, 415: the request is wrong; 401: sign in or send a token; "+
				"403: not allowed; 404: no such console, title or request; 405: wrong method; 409: several consoles fit; "+
				"422: the console or the server refused; 429: too many tries; 503: busy.", "application/json", refusal)},
			"securitySchemes": object{
				"token":   object{"type": "http", "scheme": "bearer", "description": "made on the page"},
				"session": object{"type": "apiKey", "in": "cookie", "name": "ps4kit_session", "description": "set by the sign-in page"},
			},
		},
	}
}

var refused = object{"$ref": "#/components/responses/Refusal"}

func content(description, mediaType string, schema object) object {
	return object{"description": description, "content": object{mediaType: object{"schema": schema}}}
}

// schemas are the JSON schemas of the named types, by name.
type schemas object

func (s schemas) operation(o *operation) object {
	d := object{"operationId": o.id, "summary": o.summary, "x-access": o.access.String()}
	if o.notes != "" {
		d["description"] = o.notes
	}
	switch out := reflect.Zero(o.out).Interface().(type) {
	case None:
		d["responses"] = object{"204": object{"description": "Done"}, "default": refused}
	case result:
		d["responses"] = object{"200": content("Done", out.mediaType(), object{}), "default": refused}
	case Restored:
		d["responses"] = object{"202": content("The server is restarting", "application/json", s.of(o.out)), "default": refused}
	default:
		d["responses"] = object{"200": content("Done", "application/json", s.of(o.out)), "default": refused}
	}
	if in, ok := reflect.Zero(o.in).Interface().(result); ok {
		d["requestBody"] = object{"required": true, "content": object{in.mediaType(): object{"schema": object{}}}}
		return d
	}
	var parameters []object
	body := false
	for i := range o.in.NumField() {
		field := o.in.Field(i)
		wildcard, inPath := field.Tag.Lookup("path")
		query, inQuery := field.Tag.Lookup("query")
		switch {
		case inPath && strings.Contains(o.path, "{"+wildcard+"}"):
			p := object{"name": wildcard, "in": "path", "required": true, "schema": object{"type": "string"}}
			p["description"], p["example"] = field.Tag.Get("doc"), field.Tag.Get("example")
			if wildcard == "host" {
				p["description"], p["example"] = hostDoc, "Den"
			}
			parameters = append(parameters, p)
		case inQuery:
			parameters = append(parameters, object{"name": query, "in": "query", "schema": s.field(field)})
		case !inPath:
			body = true
		}
	}
	if parameters != nil {
		d["parameters"] = parameters
	}
	if body {
		d["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": s.of(o.in), "example": example(o.in)}}}
	}
	return d
}

const hostDoc = "host id, name (in any case) or address of a console, or companion for the companion bridge; - for the only one, " +
	"or for all where that makes sense"

// of returns the schema of a type. A named struct becomes a component.
func (s schemas) of(t reflect.Type) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Struct:
		name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
		if _, known := s[name]; !known {
			s[name] = nil // in case it contains itself
			s[name] = s.structure(t)
		}
		return object{"$ref": "#/components/schemas/" + name}
	case t.Kind() == reflect.Pointer:
		return s.of(t.Elem())
	case t.Kind() == reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case t.Kind() == reflect.Interface:
		return object{}
	case t.Kind() == reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	case t.Kind() == reflect.String:
		return object{"type": "string"}
	case t.Kind() == reflect.Bool:
		return object{"type": "boolean"}
	}
	return object{"type": "integer"}
}

func (s schemas) structure(t reflect.Type) object {
	properties, required := object{}, []string{}
	for _, field := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		properties[name] = s.field(field)
		if !strings.HasPrefix(options, "omit") {
			required = append(required, name)
		}
	}
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func (s schemas) field(f reflect.StructField) object {
	schema := s.of(f.Type)
	if doc := f.Tag.Get("doc"); doc != "" {
		schema["description"] = doc
	}
	if values := f.Tag.Get("enum"); values != "" {
		schema["enum"] = strings.Split(values, ",")
	}
	if least, most, ok := limits(f.Tag); ok {
		schema["minimum"], schema["maximum"] = least, most
	}
	if pattern := f.Tag.Get("pattern"); pattern != "" {
		schema["pattern"] = pattern
	}
	return schema
}

// example returns the example of a request, from the tags of its fields.
func example(t reflect.Type) object {
	o := object{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		text, ok := f.Tag.Lookup("example")
		if !ok || name == "-" {
			continue
		}
		var v any = text
		if f.Type.Kind() != reflect.String && json.Unmarshal([]byte(text), &v) != nil {
			v = text // of a *string
		}
		o[name] = v
	}
	return o
}
