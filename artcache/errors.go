package artcache

import "errors"

// Errors to branch on with errors.Is; each comes wrapped with its detail.
var (
	// ErrTitleID: not a title id such as CUSA00129.
	ErrTitleID = errors.New("artcache: not a title id")
	// ErrAddress: not an address of the kind that was asked for, or of a host
	// that is not configured.
	ErrAddress = errors.New("artcache: not such an address")
	// ErrNotFound: the source has nothing under that id. Remembered for a day.
	ErrNotFound = errors.New("artcache: not found")
	// ErrMalformed: the answer is not what it should be: too large, of the wrong
	// type, about another title, or a redirect to a strange host. Remembered
	// for a day.
	ErrMalformed = errors.New("artcache: bad answer")
	// ErrUnavailable: the source does not answer now; asking again later may
	// help, and is held back until it makes sense.
	ErrUnavailable = errors.New("artcache: source does not answer")
	// ErrOffline: not cached, and Options.Offline forbids asking.
	ErrOffline = errors.New("artcache: offline and not cached")
	// ErrDisabled: Options.Disabled (art.enabled: false).
	ErrDisabled = errors.New("artcache: art is switched off")
	// ErrSize: not one of the sizes that covers come in.
	ErrSize = errors.New("artcache: not a cover size")
	// ErrClosed: the cache was closed.
	ErrClosed = errors.New("artcache: closed")
)
