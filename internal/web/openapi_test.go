package web_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ps4kit/ps4kit/internal/web"
)

// operation is what a test wants to know of an operation in the document.
type operation struct {
	ID          string `json:"operationId"`
	Summary     string
	Access      string `json:"x-access"`
	Parameters  []parameter
	RequestBody *struct{ Content map[string]media } `json:"requestBody"`
	Responses   map[string]struct {
		Ref     string `json:"$ref"`
		Content map[string]media
	}
	method, path string
}

type parameter struct {
	Ref      string `json:"$ref"`
	Name, In string
	Example  string
}

type media struct {
	Schema  json.RawMessage
	Example json.RawMessage
}

// document is GET /openapi.json.
type document struct {
	Paths      map[string]map[string]*operation
	Components struct{ Parameters map[string]parameter }

	compiling sync.Mutex // guards schemas
	schemas   *jsonschema.Compiler
}

const documentURL = "https://ps4kit.example/openapi.json"

func readDocument(t *testing.T) *document {
	t.Helper()
	text := post(web.API(&backend{}, nil, nil), http.MethodGet, "/api/v1/openapi.json", "").Body.String()
	d := &document{schemas: jsonschema.NewCompiler()}
	if err := json.Unmarshal([]byte(text), d); err != nil {
		t.Fatal(err)
	}
	whole, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	d.schemas.AssertFormat()
	if err := d.schemas.AddResource(documentURL, whole); err != nil {
		t.Fatal(err)
	}
	for path, methods := range d.Paths {
		for method, op := range methods {
			op.method, op.path = strings.ToUpper(method), path
			for i, p := range op.Parameters {
				if name, is := strings.CutPrefix(p.Ref, "#/components/parameters/"); is {
					op.Parameters[i] = d.Components.Parameters[name]
				}
			}
		}
	}
	return d
}

// operations lists them in a fixed order.
func (d *document) operations() (list []*operation) {
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			list = append(list, d.Paths[path][method])
		}
	}
	return list
}

// fits holds a JSON value against the schema at a place in the document.
func (d *document) fits(body string, place ...string) error {
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	pointer := documentURL + "#"
	for _, p := range place {
		pointer += "/" + escape.Replace(p)
	}
	d.compiling.Lock()
	schema, err := d.schemas.Compile(pointer)
	d.compiling.Unlock()
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

func TestDocumentAndRoutesAreTheSame(t *testing.T) {
	t.Parallel()
	guard, _ := newGuard(t)
	routes := web.Routes(complete(web.SiteOptions{Guard: guard, Page: newPage()}, &backend{}))
	access := map[string]web.Access{
		"control": web.AccessControl, "admin": web.AccessAdmin, "owner": web.AccessOwner, "socket": web.AccessSocket,
	}
	ids := map[string]bool{}
	for _, op := range readDocument(t).operations() {
		pattern := op.method + " " + op.path
		need, is := routes[pattern]
		if !is {
			t.Errorf("%s is documented, and no route", pattern)
		}
		delete(routes, pattern)
		if said, known := access[op.Access]; !known || said != need {
			t.Errorf("%s needs %d, not %q", pattern, need, op.Access)
		}
		if op.ID == "" || ids[op.ID] || op.Summary == "" || op.Responses["default"].Ref != "#/components/responses/Refusal" {
			t.Errorf("%s: no id of its own, no summary, or no refusal", pattern)
		}
		ids[op.ID] = true
		for segment := range strings.SplitSeq(op.path, "/") {
			name, is := strings.CutPrefix(segment, "{")
			if is && !slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.In == "path" && p.Name+"}" == name }) {
				t.Errorf("%s: the parameter %s is not documented", pattern, segment)
			}
		}
	}
	for pattern := range routes {
		t.Errorf("%s is not documented", pattern)
	}
}

// answers are what stands behind each operation that has a result; every field is there.
func answers() map[string]any {
	now := time.Now()
	console := web.Console{Address: "192.0.2.7", HostID: "A0B1C2D3E4F5", HostType: "PS4", Name: "Den", State: web.StateAwake, TitleID: "CUSA00129"}
	user, text := web.User{Credential: psn.Credential, Passcode: "1234"}, "X-HM://0086BRILOABCD"
	picture := web.Picture{Data: []byte("\x89PNG"), Type: "image/png", ETag: `"a"`}
	return map[string]any{
		"consoles": []web.Console{console}, "search": []web.Console{console}, "status": console,
		"keyboard":   web.Keyboard{Text: "a", MaxLength: 10},
		"titles":     []web.Title{{ID: "CUSA00129", Name: "Films", Title: "Netflix", Identifier: 3, LastPlayed: now}, {ID: "HOME"}},
		"credential": user, "credentialOfAll": user, "backup": []byte("tar"), "qr": text, "cover": picture,
		"homekit":       []web.Accessory{{Name: "Den", Controllers: []web.Controller{{ID: "x", Admin: true}}}},
		"check":         []web.Finding{{Accessory: "Den", Rule: "§2", Where: "aid 1", What: "odd"}},
		"settings":      []web.Setting{{Key: "log.level", Value: "info", Source: "default"}},
		"restore":       web.Restored{Created: now, Files: []string{"consoles.json"}},
		"firstPassword": web.Password{Password: "x"}, "newPassword": web.Password{Password: "x"},
	}
}

// wholeCard has every field.
func wholeCard() *web.Card {
	now := time.Now()
	return &web.Card{
		Console: web.Console{HostID: "A0B1C2D3E4F5", State: web.StateStandby}, Starting: "CUSA00129", LastSeen: now, Identified: now,
		LastError: &web.Error{Code: "pin_needed", Result: 20, Message: "a PIN", Hint: "link"}, LastErrorAt: now, Cover: web.CoverPath("CUSA00129", 256),
	}
}

// TestExamplesOfTheDocument sends each documented request, and holds what comes back
// against what the document says.
func TestExamplesOfTheDocument(t *testing.T) {
	t.Parallel()
	d, results := readDocument(t), answers()
	for _, op := range d.operations() {
		if op.ID == "events" { // never ends: see TestDocumentOfEvents
			continue
		}
		t.Run(op.ID, func(t *testing.T) {
			t.Parallel()
			p := newPage()
			p.backend.result = results[op.ID]
			p.show("A0B1C2D3E4F5", web.View{Card: wholeCard()})
			p.log.Add(web.LogLine{Time: time.Now(), Level: "info", Message: "m", Fields: map[string]string{"console": "Den"}})
			s := newSite(t, web.SiteOptions{Page: p, Version: "v1"})
			s.b.result = results[op.ID]
			owner := s.signedIn()
			got := owner.send(exampleOf(t, owner, op))
			if op.Access == "socket" {
				w := post(web.API(s.b, p, nil), op.method, "/api/v1"+op.path, "")
				got = answer{w.Result(), w.Body.String()}
			}
			d.checkAnswer(t, op, got)
		})
	}
}

// exampleOf is the request that the document shows.
func exampleOf(t *testing.T, owner *guest, op *operation) *http.Request {
	t.Helper()
	path := op.path
	for _, p := range op.Parameters {
		if p.Example == "TOKEN" {
			_, p.Example = owner.makeToken("control")
		}
		path = strings.ReplaceAll(path, "{"+p.Name+"}", p.Example)
	}
	body, kind := "", ""
	if op.RequestBody != nil {
		for k, m := range op.RequestBody.Content {
			kind, body = k, strings.ReplaceAll(string(m.Example), "PASSWORD", password)
		}
	}
	r := owner.request(op.method, "/api/v1"+path, body)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	return r
}

// checkAnswer wants the one status and body that the document has for success.
func (d *document) checkAnswer(t *testing.T, op *operation, got answer) {
	t.Helper()
	said, is := op.Responses[fmt.Sprint(got.StatusCode)]
	if !is {
		t.Fatalf("%s %s: %d %s, which is not documented", op.method, op.path, got.StatusCode, got.body)
	}
	kind := got.Header.Get("Content-Type")
	_, exact := said.Content[kind]
	_, anyImage := said.Content["image/*"]
	switch {
	case len(said.Content) == 0 && got.body == "":
	case exact && kind != "application/json":
	case anyImage && strings.HasPrefix(kind, "image/"):
	case !exact:
		t.Errorf("%s %s: the answer is %q, which is not documented", op.method, op.path, kind)
	default:
		place := []string{"paths", op.path, strings.ToLower(op.method), "responses", fmt.Sprint(got.StatusCode), "content", kind, "schema"}
		if err := d.fits(got.body, place...); err != nil {
			t.Errorf("%s %s: %s\n%v", op.method, op.path, got.body, err)
		}
	}
	if op.RequestBody == nil || op.RequestBody.Content["application/json"].Schema == nil {
		return
	}
	example := string(op.RequestBody.Content["application/json"].Example)
	if err := d.fits(example, "paths", op.path, strings.ToLower(op.method), "requestBody", "content", "application/json", "schema"); err != nil {
		t.Errorf("%s %s: the example %s does not fit: %v", op.method, op.path, example, err)
	}
}

// TestDocumentSaysWhatTakesABody: a route without one refuses the request for its type.
func TestDocumentSaysWhatTakesABody(t *testing.T) {
	t.Parallel()
	guard, _ := newGuard(t)
	api := web.APIOf(complete(web.SiteOptions{Guard: guard, Page: newPage()}, &backend{}))
	for _, op := range readDocument(t).operations() {
		if op.ID == "events" {
			continue
		}
		w := post(api, op.method, "/api/v1"+op.path, "")
		if takes := w.Code == http.StatusUnsupportedMediaType; takes != (op.RequestBody != nil) {
			t.Errorf("%s %s: takes a body: %v", op.method, op.path, takes)
		}
	}
}

// TestDocumentedFieldsAreTaken sends each field of each body, alone and without a value.
func TestDocumentedFieldsAreTaken(t *testing.T) {
	t.Parallel()
	guard, _ := newGuard(t)
	api := web.APIOf(complete(web.SiteOptions{Guard: guard, Page: newPage()}, &backend{}))
	for _, op := range readDocument(t).operations() {
		if op.RequestBody == nil {
			continue
		}
		var schema struct{ Properties map[string]any }
		if err := json.Unmarshal(op.RequestBody.Content["application/json"].Schema, &schema); err != nil && op.ID != "restore" {
			t.Errorf("%s: %v", op.ID, err)
		}
		for field := range schema.Properties {
			w := post(api, op.method, "/api/v1"+op.path, `{"`+field+`":null}`)
			if strings.Contains(w.Body.String(), "unknown field") {
				t.Errorf("%s %s: there is no field %s", op.method, op.path, field)
			}
		}
	}
}

// TestDocumentOfEvents holds the data of each event against its schema.
func TestDocumentOfEvents(t *testing.T) {
	d := readDocument(t)
	kind := post(web.API(&backend{}, newPage(), nil), http.MethodHead, "/api/v1/events", "").Header().Get("Content-Type")
	if _, is := d.Paths["/events"]["get"].Responses["200"].Content[kind]; !is {
		t.Errorf("events are %q, which is not documented", kind)
	}
	inStreamRig(t, nil, func(r *streamRig) {
		c := r.follow("?log=debug", "")
		defer c.close()
		r.page.show("A0B1C2D3E4F5", web.View{Card: wholeCard()})
		r.page.log.Add(web.LogLine{Time: time.Now(), Level: "warn", Message: "m", Fields: map[string]string{}})
		schemas := map[string]string{"overview": "Overview", "console": "Card", "log": "LogLine"}
		for _, e := range c.take() {
			schema := schemas[e.name]
			if schema == "" {
				continue
			}
			delete(schemas, e.name)
			if err := d.fits(e.data, "components", "schemas", schema); err != nil {
				r.t.Errorf("%s: %v", e.data, err)
			}
		}
		if len(schemas) > 0 {
			r.t.Errorf("there was no event of these: %v", schemas)
		}
	})
}

// TestRefusalsFitTheDocument: also those with every field.
func TestRefusalsFitTheDocument(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	for _, err := range []error{
		&web.Error{Code: "x", Message: "no"}, &web.Error{Code: "x", Result: 20, Message: "no", Hint: "do"}, consoleError(20),
	} {
		w := post(web.API(&backend{err: err}, nil, nil), http.MethodGet, "/api/v1/consoles", "")
		if err := d.fits(w.Body.String(), "components", "schemas", "Refusal"); err != nil {
			t.Errorf("%s: %v", w.Body, err)
		}
	}
}
