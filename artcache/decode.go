package artcache

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
)

// decodeJSON reads one JSON value. Nesting is bounded by encoding/json, size by
// the fetcher.
func decodeJSON(data []byte, v any) error {
	if len(data) > maxDocument {
		return tooLarge(maxDocument)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// decodeXML reads one XML document. A document type declaration is refused:
// no source has one, and it is where entity bombs live. (encoding/xml expands
// no entities and bounds the nesting.)
func decodeXML(data []byte, v any) error {
	if len(data) > maxDocument {
		return tooLarge(maxDocument)
	}
	if bytes.Contains(data, []byte("<!DOCTYPE")) || bytes.Contains(data, []byte("<!ENTITY")) {
		return fmt.Errorf("%w: a document type declaration", ErrMalformed)
	}
	if err := xml.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// encodeXML writes a document of this package's own types.
func encodeXML(v any) []byte {
	data, _ := xml.Marshal(v) // strings and numbers alone: cannot fail
	return append([]byte(xml.Header), data...)
}
