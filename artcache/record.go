package artcache

import (
	"fmt"
	"time"
)

// A record says what came back for a key.
type record struct {
	URL      string    `json:"url,omitempty"`
	Hash     string    `json:"hash,omitempty"`    // SHA-256 of the body, in hex; empty: a negative result
	Refused  string    `json:"refused,omitempty"` // why a negative result is not a plain "not found"
	ETag     string    `json:"etag,omitempty"`
	Modified string    `json:"modified,omitempty"`
	Until    time.Time `json:"until"` // no need to ask again before
	Brief    *brief    `json:"title,omitempty"`
}

// fresh reports whether there is no need to ask. A time far ahead was written
// with a wrong clock, as a Raspberry Pi has before it knows the time.
func (r record) fresh(now time.Time) bool {
	return now.Before(r.Until) && r.Until.Sub(now) < 2*freshImage
}

// err returns the error that a negative record stands for.
func (r record) err() error {
	switch {
	case r.Hash != "":
		return nil
	case r.Refused != "":
		return fmt.Errorf("%w: %s", ErrMalformed, r.Refused)
	}
	return ErrNotFound
}
