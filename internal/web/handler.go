package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

const maxRequest = 64 << 10 // bytes of a request's body

// none is no body at all.
type none struct{}

// answer handles a request that has no body.
func answer[Out any](do func(*http.Request) (Out, error)) http.Handler {
	return exchange(func(r *http.Request, _ none) (Out, error) { return do(r) })
}

// carryOut handles a request that has no body and gets none.
func carryOut(do func(*http.Request) error) http.Handler {
	return exchange(func(r *http.Request, _ none) (none, error) { return none{}, do(r) })
}

// obey handles a request that gets no body.
func obey[In any](do func(*http.Request, In) error) http.Handler {
	return exchange(func(r *http.Request, in In) (none, error) { return none{}, do(r, in) })
}

// exchange handles a request with a body, and replies with one.
func exchange[In, Out any](do func(*http.Request, In) (Out, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := read(w, r, &in); err != nil {
			refuse(w, err)
			return
		}
		out, err := do(r, in)
		if err != nil {
			refuse(w, err)
			return
		}
		reply(w, out)
	})
}

// read reads all of the request into in, which is a *none when there must be nothing.
func read(w http.ResponseWriter, r *http.Request, in any) error {
	_, empty := in.(*none)
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); !empty && (err != nil || kind != "application/json") {
		return &Error{Code: codeMediaType, Message: "the body must be application/json"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return errTooLarge()
	}
	switch {
	case err != nil:
		return errBadRequest("the body did not arrive whole")
	case empty && len(body) > 0:
		return errBadRequest("this request takes no body")
	case !empty:
		err = decode(body, in)
	}
	// The timeout is for a request that arrives slowly. This one is here: a command
	// may take minutes, and an expired timeout would end its context.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	return err
}

// decode takes one JSON object of known fields. Its errors hold nothing of the
// values, which may be secrets.
func decode(body []byte, in any) error {
	if !utf8.Valid(body) || !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return errBadRequest("the body must be a JSON object in UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(in)
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrong):
		return errBadRequest(wrong.Field + " has the wrong type")
	case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF):
		return errBadRequest("the body is not JSON")
	case err != nil: // an unknown field
		return errBadRequest("the body has an " + strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errBadRequest("the body must be one JSON object")
	}
	return nil
}

// archive is a result that is not JSON.
type archive []byte

// reply writes the result of a request that was carried out.
func reply(w http.ResponseWriter, result any) {
	switch result := result.(type) {
	case none:
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
	case archive:
		w.Header().Set("Content-Disposition", `attachment; filename="ps4kit-backup.tar.gz"`)
		write(w, http.StatusOK, "application/gzip", result)
	case vector:
		write(w, http.StatusOK, "image/svg+xml", result)
	default:
		writeJSON(w, http.StatusOK, result)
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":{"code":"failed","message":"the answer is not JSON"}}`)
	}
	write(w, status, "application/json", append(body, '\n'))
}

func write(w http.ResponseWriter, status int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
