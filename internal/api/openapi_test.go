package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ps4kit/ps4kit/internal/api"
)

// described is an operation of the document, as far as the tests need it.
type described struct {
	ID          string `json:"operationId"`
	Summary     string
	Access      string `json:"x-access"`
	Parameters  []struct{ Name, In, Example string }
	RequestBody *struct {
		Content map[string]struct{ Schema, Example json.RawMessage }
	} `json:"requestBody"`
	Responses    map[string]struct{ Content map[string]any }
	method, path string
}

// document is GET /openapi.json.
type document struct {
	Paths map[string]map[string]*described

	operations []*described
	compiling  sync.Mutex // guards schemas
	schemas    *jsonschema.Compiler
}

const documentURL = "https://ps4kit.example/openapi.json"

func readDocument(t *testing.T) *document {
	t.Helper()
	text := post(api.Handler(api.Services{Backend: &backend{}}), http.MethodGet, "/api/v1/openapi.json", "").Body.String()
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
			d.operations = append(d.operations, op)
		}
	}
	return d
}

// validate checks a JSON value against the schema at a place in the document.
func (d *document) validate(body string, place ...string) error {
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

func TestDocumentDescribesEveryOperation(t *testing.T) {
	t.Parallel()
	ids := api.OperationIDs()
	for _, op := range readDocument(t).operations {
		i := slices.Index(ids, op.ID)
		if i < 0 {
			t.Errorf("%s %s has the id %q, which is unknown or used twice", op.method, op.path, op.ID)
			continue
		}
		ids = slices.Delete(ids, i, i+1)
		if op.Summary == "" || op.Access == "" {
			t.Errorf("%s has no summary or no access", op.ID)
		}
		for segment := range strings.SplitSeq(op.path, "/") {
			name, wildcard := strings.CutPrefix(segment, "{")
			if wildcard && !slices.ContainsFunc(op.Parameters, func(p struct{ Name, In, Example string }) bool { return p.In == "path" && p.Name+"}" == name }) {
				t.Errorf("%s: the parameter %s is not described", op.ID, segment)
			}
		}
	}
	if len(ids) > 0 {
		t.Errorf("not described: %v", ids)
	}
}

// answers are what the services answer with, for each operation that has a
// result; every field is set somewhere.
func answers() map[string]any {
	now := time.Now()
	console := api.Console{Address: "192.0.2.7", HostID: "A0B1C2D3E4F5", HostType: "PS4", Name: "Den", State: api.StateAwake, TitleID: "CUSA00129", Origin: api.OriginFound}
	user := api.User{Credential: psn.Credential, Passcode: "1234"}
	return map[string]any{
		"consoles": []api.Console{console}, "search": []api.Console{console}, "status": console, "addConsole": console,
		"keyboard":   api.Keyboard{Text: "a", MaxLength: 10},
		"titles":     []api.Title{{ID: "CUSA00129", Name: "Films", Title: "Netflix", Identifier: 3, LastPlayed: now}, {ID: "HOME"}},
		"credential": user, "credentialOfAll": user, "backup": api.Archive("tar"), "qr": "X-HM://0086BRILOABCD",
		"cover":         api.Picture{Data: []byte("\x89PNG"), Type: "image/png", ETag: `"a"`},
		"homekit":       []api.Accessory{{Name: "Den", Controllers: []api.Controller{{ID: "x", Admin: true}}}},
		"settings":      []api.Setting{{Key: "log.level", Value: "info", Source: "default"}},
		"restore":       api.Restored{Created: now, Files: []string{"consoles.json"}},
		"firstPassword": api.Password{Password: "x"}, "newPassword": api.Password{Password: "x"},
	}
}

// wholeCard has every field.
func wholeCard() api.Card {
	now := time.Now()
	return api.Card{
		Console: api.Console{HostID: "A0B1C2D3E4F5", State: api.StateStandby}, Starting: "CUSA00129", LastSeen: now, Identified: now,
		LastError: &api.Error{Code: "pin_needed", Result: 20, Message: "a PIN", Hint: "link"}, LastErrorAt: now, Cover: api.CoverPath("CUSA00129", 256),
	}
}

// TestExamplesOfTheDocument sends the example of each operation, and validates
// the request and the answer against their schemas.
func TestExamplesOfTheDocument(t *testing.T) {
	t.Parallel()
	d, results := readDocument(t), answers()
	for _, op := range d.operations {
		if op.ID == "events" { // never ends: see TestDocumentOfEvents
			continue
		}
		t.Run(op.ID, func(t *testing.T) {
			t.Parallel()
			p := newPage()
			p.backend.result = results[op.ID]
			p.show("A0B1C2D3E4F5", wholeCard())
			p.log.Add(api.LogLine{Time: time.Now(), Level: "info", Message: "m", Fields: map[string]string{"console": "Den"}})
			w := httptest.NewRecorder()
			api.Handler(api.Services{Backend: &backend{result: results[op.ID]}, Page: p, Events: p.events, Accounts: &accounts{}}).ServeHTTP(w, d.example(t, op))
			d.checkAnswer(t, op, w)
		})
	}
}

// example returns the request of the document's example.
func (d *document) example(t *testing.T, op *described) *http.Request {
	t.Helper()
	path, body, mediaType := op.path, "", ""
	for _, p := range op.Parameters {
		path = strings.ReplaceAll(path, "{"+p.Name+"}", p.Example)
	}
	if op.RequestBody != nil {
		for kind, content := range op.RequestBody.Content {
			mediaType, body = kind, string(content.Example)
		}
	}
	if mediaType == "application/json" {
		place := []string{"paths", op.path, strings.ToLower(op.method), "requestBody", "content", mediaType, "schema"}
		if err := d.validate(body, place...); err != nil {
			t.Errorf("%s %s: the example %s is invalid: %v", op.method, op.path, body, err)
		}
	}
	r := httptest.NewRequest(op.method, "/api/v1"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", mediaType)
	return r
}

// checkAnswer requires the one status and body that the document describes.
func (d *document) checkAnswer(t *testing.T, op *described, got *httptest.ResponseRecorder) {
	t.Helper()
	status := fmt.Sprint(got.Code)
	said, ok := op.Responses[status]
	if !ok || got.Code >= 400 {
		t.Fatalf("%s %s: %d %s, which is not described", op.method, op.path, got.Code, got.Body)
	}
	kind := got.Header().Get("Content-Type")
	_, exact := said.Content[kind]
	_, anyImage := said.Content["image/*"]
	switch {
	case len(said.Content) == 0 && got.Body.Len() == 0:
	case exact && kind != "application/json":
	case anyImage && strings.HasPrefix(kind, "image/"):
	case !exact:
		t.Errorf("%s %s: the answer is %q, which is not described", op.method, op.path, kind)
	default:
		place := []string{"paths", op.path, strings.ToLower(op.method), "responses", status, "content", kind, "schema"}
		if err := d.validate(got.Body.String(), place...); err != nil {
			t.Errorf("%s %s: %s\n%v", op.method, op.path, got.Body, err)
		}
	}
}

// TestDocumentOfEvents validates the data of each event.
func TestDocumentOfEvents(t *testing.T) {
	d := readDocument(t)
	p := newPage()
	h := api.Handler(api.Services{Backend: &backend{}, Page: p, Events: p.events})
	kind := post(h, http.MethodHead, "/api/v1/events", "").Header().Get("Content-Type")
	if _, ok := d.Paths["/events"]["get"].Responses["200"].Content[kind]; !ok {
		t.Errorf("events are %q, which is not described", kind)
	}
	inStreamRig(t, nil, func(r *streamRig) {
		c := r.follow("?log=debug")
		defer c.close()
		r.page.show("A0B1C2D3E4F5", wholeCard())
		r.page.log.Add(api.LogLine{Time: time.Now(), Level: "warn", Message: "m", Fields: map[string]string{}})
		schemas := map[string]string{"overview": "Overview", "log": "LogLine"}
		for _, e := range c.take() {
			if err := d.validate(e.data, "components", "schemas", schemas[e.name]); err != nil {
				r.t.Errorf("%s: %v", e.data, err)
			}
			delete(schemas, e.name)
		}
		if len(schemas) > 0 {
			r.t.Errorf("there was no event of these: %v", schemas)
		}
	})
}

func TestRefusalsFitTheDocument(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	for _, err := range []error{
		&api.Error{Code: "x", Message: "no"}, &api.Error{Code: "x", Result: 20, Message: "no", Hint: "do"}, consoleError(20),
	} {
		w := post(api.Handler(api.Services{Backend: &backend{err: err}}), http.MethodGet, "/api/v1/consoles", "")
		if err := d.validate(w.Body.String(), "components", "schemas", "Refusal"); err != nil {
			t.Errorf("%s: %v", w.Body, err)
		}
	}
}

// TestDocumentIsValid asks an implementation of OpenAPI that is not ours.
func TestDocumentIsValid(t *testing.T) {
	t.Parallel()
	text := post(api.Handler(api.Services{Backend: &backend{}}), http.MethodGet, "/api/v1/openapi.json", "").Body.Bytes()
	d, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Error(err)
	}
}
