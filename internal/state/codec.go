package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// documentVersion is the version of all JSON documents. Raise it when an older
// ps4kit must not read them.
const documentVersion = 1

// envelope is the content of a JSON document. Its keys are fixed: an unknown one
// is damage, unlike in the data.
type envelope struct {
	Version int             `json:"version"`
	SHA256  string          `json:"sha256,omitempty"` // of version and data; empty in files of earlier versions
	Data    json.RawMessage `json:"data"`
}

var (
	errNoData   = errors.New("it contains no data")
	errChecksum = errors.New("its checksum does not match")
)

// checksum covers the version and the data, whatever its indentation.
func (e envelope) checksum() string {
	text := bytes.NewBufferString(fmt.Sprintf("%d ", e.Version))
	_ = json.Compact(text, e.Data) // valid, as it was decoded or encoded
	return checksum(text.Bytes())
}

func (e envelope) encode() ([]byte, error) {
	e.SHA256 = e.checksum()
	text, err := json.MarshalIndent(e, "", "  ")
	return append(text, '\n'), err
}

// withChecksum returns the content of a valid file, with a checksum if it is a
// JSON document without one.
func withChecksum(data []byte) []byte {
	var e envelope
	if decodeStrict(data, &e) == nil && e.SHA256 == "" {
		if text, err := e.encode(); err == nil {
			return text
		}
	}
	return data
}

// DocumentOptions describe a JSON document; the zero value is usable.
type DocumentOptions[T any] struct {
	Secret bool          // the file is 0600 instead of 0640, and errors don't quote its content
	Check  func(T) error // rejects impossible data when saving, and as damage when loading

	keepDamaged bool // a damaged file stays in place and fails every Load, instead of being set aside
}

// Document returns the JSON document NAME.json of a store, for content that
// this package doesn't know. name must consist of lower-case letters, digits
// and hyphens for the document to be backed up.
func Document[T any](s *Store, name string, opts DocumentOptions[T]) *File[T] {
	return document(s, name+".json", opts)
}

func document[T any](s *Store, name string, opts DocumentOptions[T]) *File[T] {
	if opts.Check == nil {
		opts.Check = func(T) error { return nil }
	}
	return &File[T]{
		store: s, name: name, secret: opts.Secret, keep: opts.keepDamaged,
		encode: func(value T) ([]byte, error) {
			if err := opts.Check(value); err != nil {
				return nil, err
			}
			data, err := json.Marshal(value)
			if err != nil {
				return nil, err
			}
			if isNull(data) {
				return nil, errNoData // it could not be loaded again
			}
			return envelope{Version: documentVersion, Data: data}.encode()
		},
		decode: func(data []byte) (T, error) {
			var value T
			if err := decodeJSON(data, opts.keepDamaged, &value); err != nil {
				return value, err
			}
			return value, opts.Check(value)
		},
	}
}

// decodeJSON decodes a document. strict rejects unknown keys in the data of a
// document without a checksum, where only damage explains them: a damaged key
// would lose the pairings.
func decodeJSON(data []byte, strict bool, value any) error {
	var e envelope
	if err := decodeStrict(data, &e); err != nil {
		return err
	}
	switch {
	case e.SHA256 != "" && e.SHA256 != e.checksum():
		return errChecksum
	case e.Version > documentVersion:
		return ErrNewer
	case e.Version < 1:
		return errors.New("it contains no version")
	case isNull(e.Data):
		return errNoData
	case strict && e.SHA256 == "":
		return decodeStrict(e.Data, value)
	}
	return json.Unmarshal(e.Data, value)
}

// decodeStrict decodes one JSON value without unknown keys.
func decodeStrict(data []byte, value any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(value); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end")
	}
	return nil
}

// isNull reports data that would decode to a zero value, such as a new
// identity.
func isNull(data json.RawMessage) bool {
	return len(data) == 0 || bytes.Equal(data, []byte("null"))
}
