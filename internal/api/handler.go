package api

import (
	"bytes"
	"cmp"
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
	Accounts // nil: no sessions or tokens, as on the socket

	// Permit returns an error if a request lacks the access that an operation
	// requires. If it is nil every request has access: the permissions of the
	// socket protect it.
	Permit func(r *http.Request, need Access) error
	// Caller returns a comparable value that identifies the session or token of a
	// request. Each may open only some of the streams of events.
	Caller func(r *http.Request) any
	// Explain turns an error into its Error; nil means AsError.
	Explain func(error) *Error
}

// handler answers the requests of one operation.
type handler func(s Services, w http.ResponseWriter, r *http.Request)

// permit returns an error if a request lacks the access that it needs.
func (s Services) permit(r *http.Request, need Access) error {
	if s.Permit == nil {
		return nil
	}
	return s.Permit(r, need)
}

// Handler serves the API below Prefix. A console is named in the path,
// percent-escaped; "-" stands for the only one. A command ends when its client
// disconnects.
func Handler(s Services) http.Handler {
	if s.Explain == nil {
		s.Explain = AsError
	}
	table := backendOperations()
	if s.Page != nil {
		table = append(table, pageOperations()...)
	}
	if s.Accounts != nil {
		table = append(table, accountOperations()...)
	}
	mux := http.NewServeMux()
	handle := func(method, path string, access Access, h handler) {
		mux.HandleFunc(method+" "+Prefix+path, func(w http.ResponseWriter, r *http.Request) {
			if err := s.permit(r, access); err != nil {
				WriteError(w, err)
				return
			}
			h(s, w, r)
		})
	}
	for _, o := range table {
		handle(o.method, o.path, o.access, o.handle)
	}
	handle(http.MethodGet, documentPath, AccessRead, func(_ Services, w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, document())
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		plain := recorder{header: http.Header{}}
		answer.ServeHTTP(&plain, r)
		if allow := plain.header.Get("Allow"); allow != "" {
			w.Header().Set("Allow", allow)
			WriteError(w, &Error{Code: "bad_method", Message: "this path supports only the methods " + allow})
			return
		}
		WriteError(w, &Error{Code: "unknown_request", Message: "the server does not know this request",
			Hint: "If ps4kit was updated, restart the running server."})
	})
}

// noticeHeader carries notices, percent-escaped.
const noticeHeader = "Ps4kit-Notice"

type noticeKey struct{}

// Notice tells the user of the request that ctx belongs to something besides
// its result: see Client.OnNotice. A Backend calls it before it returns, from
// the goroutine that it was called in.
func Notice(ctx context.Context, text string) {
	if h, ok := ctx.Value(noticeKey{}).(http.Header); ok {
		h.Add(noticeHeader, url.PathEscape(text))
	}
}

// serve returns a handler that reads an In, calls do, and writes its Out.
func serve[In, Out any](do func(s Services, ctx context.Context, in In) (Out, error)) handler {
	return func(s Services, w http.ResponseWriter, r *http.Request) {
		var in In
		err := readRequest(w, r, &in)
		if v, ok := any(in).(validator); ok && err == nil {
			err = v.validate()
		}
		var out Out
		if err == nil {
			out, err = do(s, context.WithValue(r.Context(), noticeKey{}, w.Header()), in)
		}
		if err != nil {
			WriteError(w, s.Explain(err))
			return
		}
		writeResult(w, r, out)
	}
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
		err = cmp.Or(decode(body, in), errMissing(fields))
	case len(body) > 0:
		err = errBadRequest("this request takes no body")
	}
	// ReadTimeout is for requests that arrive slowly. This one has arrived: an
	// expired deadline would only end the context of a command that takes minutes.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	return err
}

// errMissing returns the error of a pointer or list that is missing but
// required.
func errMissing(fields reflect.Value) error {
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

// dash stands for an empty segment of a path, which net/http would clean away.
const dash = "-"

// escape turns a name into one segment of a path. A console called "-" or "/",
// which net/http takes for a trailing slash even when escaped, needs its id.
func escape(name string) string {
	// net/http would clean "." and ".." away.
	return strings.ReplaceAll(url.PathEscape(cmp.Or(name, dash)), ".", "%2E")
}
