package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const maxRequest = 64 << 10 // bytes of a JSON body

// Services are what Handler serves. Only Backend is required.
type Services struct {
	Backend
	Page     // nil: the operations of a running server are missing
	Events   *Events
	Accounts // nil: every request is the owner's, as on the socket, which its permissions protect

	// Explain turns an error into its Error; nil means AsError.
	Explain func(error) *Error
}

// Handler serves the API below Prefix. A console is named in the path,
// percent-escaped; "-" stands for the only one. A command ends when its client
// disconnects.
func Handler(s Services) http.Handler {
	table := backendOperations()
	if s.Page != nil {
		table = append(table, pageOperations()...)
	}
	if s.Accounts != nil {
		table = append(table, accountOperations()...)
	}
	// An http.ServeMux would clean and redirect paths, with names of consoles in
	// them, answer in plain text, and take 1 ms to fill.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var methods []string // of the path
		for _, o := range table {
			switch {
			case !o.match(r):
				continue
			case r.Method != o.method && (r.Method != http.MethodHead || o.method != http.MethodGet):
				methods = append(methods, strings.Replace(o.method, "GET", "GET, HEAD", 1))
				continue
			}
			if s.Accounts != nil {
				if err := s.Permit(r, o.access); err != nil {
					WriteError(w, err)
					return
				}
			}
			o.serve(s, w, r)
			return
		}
		if methods == nil {
			WriteError(w, &Error{Code: "unknown_request", Message: "the server does not know this request",
				Hint: "If ps4kit was updated, restart the running server."})
			return
		}
		slices.Sort(methods)
		allow := strings.Join(methods, ", ")
		w.Header().Set("Allow", allow)
		WriteError(w, &Error{Code: "bad_method", Message: "this path supports only the methods " + allow})
	})
}

// match reports whether a request has the path of the operation, and sets the
// values of its wildcards.
func (o *operation) match(r *http.Request) bool {
	names, values := strings.Split(Prefix+o.path, "/"), strings.Split(r.URL.EscapedPath(), "/")
	if len(names) != len(values) {
		return false
	}
	for i, name := range names {
		value, err := url.PathUnescape(values[i])
		wildcard := strings.HasPrefix(name, "{")
		switch {
		case err != nil, wildcard && value == "", !wildcard && value != name:
			return false
		case wildcard: // paths that begin alike have the same wildcards
			r.SetPathValue(strings.Trim(name, "{}"), value)
		}
	}
	return true
}

// noticeHeader carries notices, percent-escaped.
const noticeHeader = "Ps4kit-Notice"

type noticeKey struct{}

// Notice tells the user of the request that ctx belongs to something besides
// its result: see Client.OnNotice. A Backend calls it before it returns, from
// the goroutine that it was called in.
func Notice(ctx context.Context, text string) {
	if notify, ok := ctx.Value(noticeKey{}).(func(string)); ok {
		notify(text)
	}
}

type ownerKey struct{}

// AsOwner marks a request as the owner's, who may name a console by any address,
// and by naming it accepts it.
func AsOwner(ctx context.Context) context.Context { return context.WithValue(ctx, ownerKey{}, true) }

// IsOwner reports whether a request is the owner's. Those of the command line
// are.
func IsOwner(ctx context.Context) bool { return ctx.Value(ownerKey{}) != nil }

// serve reads an In, carries out the operation, and writes its Out.
func (q Query[In, Out]) serve(s Services, w http.ResponseWriter, r *http.Request) {
	var in In
	if err := readRequest(w, r, &in); err != nil {
		WriteError(w, err)
		return
	}
	notify := func(text string) { w.Header().Add(noticeHeader, url.PathEscape(text)) }
	out, err := q.run(context.WithValue(r.Context(), noticeKey{}, notify), s, in)
	if err != nil {
		WriteError(w, err)
		return
	}
	switch out := any(out).(type) {
	case result:
		w.Header().Set("Content-Type", out.mediaType())
		out.write(w, r)
	case None:
		w.WriteHeader(http.StatusNoContent)
	case Restored:
		writeJSON(w, http.StatusAccepted, out) // the server restarts afterwards
	default:
		writeJSON(w, http.StatusOK, out)
	}
}

// run carries out the operation. Its errors are of the type *Error.
func (q Query[In, Out]) run(ctx context.Context, s Services, in In) (out Out, err error) {
	if s.Explain == nil {
		s.Explain = AsError
	}
	if s.Accounts == nil {
		ctx = AsOwner(ctx)
	}
	err = errMissing(in)
	if v, ok := any(in).(validator); ok && err == nil {
		err = v.validate()
	}
	if err == nil {
		out, err = q.do(s, ctx, in)
	}
	if err != nil {
		e := s.Explain(err)
		e.Err = nil // with and without a server, the caller sees the same
		return out, e
	}
	if list := reflect.ValueOf(&out).Elem(); list.Kind() == reflect.Slice && list.IsNil() {
		list.Set(reflect.MakeSlice(list.Type(), 0, 0)) // [] in JSON, not null
	}
	return out, nil
}

// readRequest reads a request into in, a pointer to a struct of path, query and
// JSON fields, or to an Archive.
func readRequest(w http.ResponseWriter, r *http.Request, in any) error {
	if a, ok := in.(*Archive); ok {
		return a.read(w, r)
	}
	fields := reflect.ValueOf(in).Elem()
	hasBody := false
	for field, value := range fields.Fields() {
		if name, ok := field.Tag.Lookup("path"); ok {
			if segment := r.PathValue(name); segment != dash {
				value.SetString(segment)
			}
		} else if name, ok := field.Tag.Lookup("query"); ok {
			if err := readQuery(r.URL.Query(), name, field.Tag, value); err != nil {
				return err
			}
		} else {
			hasBody = true
		}
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); hasBody && (err != nil || kind != "application/json") {
		return &Error{Code: codeMediaType, Message: "the body must be application/json"}
	}
	body, err := readBody(w, r, maxRequest)
	switch {
	case err != nil:
		return err
	case hasBody:
		err = decode(body, in)
	case len(body) > 0:
		err = errBadRequest("this request takes no body")
	}
	// ReadTimeout is for requests that arrive slowly. This one has arrived: an
	// expired deadline would only end the context of a command that takes minutes.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	return err
}

// errMissing returns the error of a pointer or list that a request requires but
// lacks.
func errMissing(in any) error {
	fields := reflect.ValueOf(in)
	if fields.Kind() != reflect.Struct {
		return nil // an Archive
	}
	for field, value := range fields.Fields() {
		name, optional, _ := strings.Cut(field.Tag.Get("json"), ",")
		nillable := value.Kind() == reflect.Pointer || value.Kind() == reflect.Slice
		if nillable && value.IsNil() && optional == "" {
			return errBadRequest(name + " is missing")
		}
	}
	return nil
}

// readQuery sets the field of a query parameter, checking its tags enum and
// range.
func readQuery(query url.Values, name string, tags reflect.StructTag, field reflect.Value) error {
	if !query.Has(name) {
		return nil
	}
	text := query.Get(name)
	if values := tags.Get("enum"); values != "" && !slices.Contains(strings.Split(values, ","), text) {
		return errBadRequest(name + " must be one of " + strings.ReplaceAll(values, ",", ", "))
	}
	if field.Kind() == reflect.String {
		field.SetString(text)
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return errBadRequest(name + " must be a number")
	}
	if least, most, ok := limits(tags); ok && (n < least || n > most) {
		return errBadRequest(fmt.Sprintf("%s must be %d to %d", name, least, most))
	}
	field.SetInt(int64(n))
	return nil
}

// limits returns the limits in the tag range, like "1,500".
func limits(tags reflect.StructTag) (least, most int, ok bool) {
	_, err := fmt.Sscanf(tags.Get("range"), "%d,%d", &least, &most)
	return least, most, err == nil
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, errTooLarge(limit)
	}
	if err != nil {
		return nil, errBadRequest("the body is incomplete")
	}
	return body, nil
}

func errTooLarge(limit int64) error {
	size := fmt.Sprintf("%d kB", limit>>10)
	if limit >= 1<<20 {
		size = fmt.Sprintf("%d MB", limit>>20)
	}
	return &Error{Code: codeTooLarge, Message: "the body is larger than " + size}
}

// decode reads one JSON object of known fields. Its errors contain no values,
// which may be secret.
func decode(body []byte, in any) error {
	if !utf8.Valid(body) || !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return errBadRequest("the body must be a JSON object in UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		if _, ok := errors.AsType[*json.SyntaxError](err); ok || errors.Is(err, io.ErrUnexpectedEOF) {
			return errBadRequest("the body is not JSON")
		}
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return errBadRequest(wrong.Field + " has the wrong type")
		}
		if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok { // an error without a type
			return errBadRequest("the body has an unknown field " + field)
		}
		return errBadRequest("the body has a value of the wrong type") // a time
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errBadRequest("the body must be one JSON object")
	}
	return nil
}

// dash stands for an empty name in a path. A console called "-" needs its id.
const dash = "-"
