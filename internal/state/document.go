package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

// DocumentOptions describe a JSON document; the zero value is one with nothing special.
type DocumentOptions[T any] struct {
	Secret      bool          // the file is 0600 instead of 0640, and no error tells its content
	KeepDamaged bool          // a damaged file stays in place and fails every Load, instead of being set aside
	Version     int           // of the data, raised when an older ps4kit must not read it; 0 is 1
	Check       func(T) error // refuses data that parses but cannot be true: when saved, and as damage when loaded
}

var documentName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// Document is the JSON document NAME.json of a store, for what this package knows nothing about. name is lower-case
// letters, digits and hyphens.
func Document[T any](s *Store, name string, opts DocumentOptions[T]) (*File[T], error) {
	if !documentName.MatchString(name) {
		return nil, fmt.Errorf("state: %q is not the name of a document", name)
	}
	return document(s, name+".json", opts), nil
}

func document[T any](s *Store, name string, opts DocumentOptions[T]) *File[T] {
	return &File[T]{store: s, name: name, codec: jsonCodec(opts), secret: opts.Secret, keep: opts.KeepDamaged}
}

// envelope is what a JSON document looks like.
type envelope struct {
	Version int             `json:"version"`
	Data    json.RawMessage `json:"data"`
}

var errNoData = errors.New("there is no data in it")

func jsonCodec[T any](opts DocumentOptions[T]) codec[T] {
	if opts.Version == 0 {
		opts.Version = 1
	}
	if opts.Check == nil {
		opts.Check = func(T) error { return nil }
	}
	return codec[T]{
		encode: func(value T) ([]byte, error) {
			if err := opts.Check(value); err != nil {
				return nil, err
			}
			return encodeJSON(value, opts.Version)
		},
		decode: func(data []byte) (T, error) {
			var value T
			if err := decodeJSON(data, opts.Version, &value); err != nil {
				return value, err
			}
			return value, opts.Check(value)
		},
	}
}

func encodeJSON(value any, version int) ([]byte, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	if isNull(data) {
		return nil, errNoData // it could not be loaded again
	}
	text, err := json.MarshalIndent(envelope{version, data}, "", "  ")
	return append(text, '\n'), err
}

func decodeJSON(data []byte, version int, value any) error {
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return err
	}
	switch {
	case e.Version > version:
		return ErrNewer
	case e.Version < 1:
		return errors.New("there is no version in it")
	case isNull(e.Data):
		return errNoData
	}
	return json.Unmarshal(e.Data, value)
}

// isNull reports data that would leave a zero value behind: a new identity, for one.
func isNull(data json.RawMessage) bool {
	return len(data) == 0 || bytes.Equal(data, []byte("null"))
}
