package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"time"
)

// Limits of a backup that is sent to be restored.
const (
	maxBackup   = 16 << 20
	restoreTime = 2 * time.Minute // for all of it to arrive
)

// restoreHandler answers POST /restore. The answer gets out before the server stops:
// Serve lets it.
func restoreHandler(p Page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		archive, err := readArchive(w, r)
		if err != nil {
			refuse(w, err)
			return
		}
		restored, err := p.Restore(archive)
		if err != nil {
			refuse(w, err)
			return
		}
		writeJSON(w, http.StatusAccepted, restored)
	})
}

func readArchive(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/gzip" {
		return nil, &Error{Code: codeMediaType, Message: "the body must be application/gzip: a backup"}
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(restoreTime)) // readTimeout is for short ones
	archive, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBackup))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, &Error{Code: codeTooLarge, Message: "a backup of ps4kit has 16 MB at most"}
	}
	if err != nil {
		return nil, errBadRequest("the body did not arrive whole")
	}
	return archive, nil
}
