package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

// Sessions live in memory alone: a restart of the server ends them.
const (
	sessionLife = 7 * 24 * time.Hour // without a request
	maxSessions = 64                 // one more ends the one that was not used for longest
)

// sessions are the browsers in which somebody signed in. Only the hash of what a browser
// shows is kept.
type sessions struct {
	mu     sync.Mutex
	byHash map[[sha256.Size]byte]*session
}

// session is one of them.
type session struct {
	used time.Time
	open int             // requests under way, of which a page always has one: its events
	life context.Context // ends with the session
	end  context.CancelFunc
}

func (s *session) expired(now time.Time) bool {
	return s.open == 0 && now.Sub(s.used) >= sessionLife
}

// begin makes a session and returns what its browser has to show.
func (ss *sessions) begin() (secret string) {
	secret = rand.Text()
	s := &session{used: time.Now()}
	s.life, s.end = context.WithCancel(context.Background())
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.makeRoom()
	if ss.byHash == nil {
		ss.byHash = map[[sha256.Size]byte]*session{}
	}
	ss.byHash[sha256.Sum256([]byte(secret))] = s
	return secret
}

// makeRoom ends what has expired, and then the longest unused while there are too many.
func (ss *sessions) makeRoom() {
	now := time.Now()
	ss.remove(func(s *session) bool { return s.expired(now) })
	for len(ss.byHash) >= maxSessions {
		var oldest *session
		for _, s := range ss.byHash {
			if oldest == nil || s.used.Before(oldest.used) {
				oldest = s
			}
		}
		ss.remove(func(s *session) bool { return s == oldest })
	}
}

// remove ends the sessions that match.
func (ss *sessions) remove(match func(*session) bool) {
	for hash, s := range ss.byHash {
		if match(s) {
			s.end()
			delete(ss.byHash, hash)
		}
	}
}

// enter begins a request of a session, which leave ends. It returns nil when there is
// none of that secret, or no more.
func (ss *sessions) enter(secret string) *session {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s := ss.byHash[sha256.Sum256([]byte(secret))]
	if s == nil || s.expired(time.Now()) {
		return nil
	}
	s.open++
	s.used = time.Now()
	return s
}

func (ss *sessions) leave(s *session) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s.open--
	s.used = time.Now()
}

// end ends the session of a secret, if there is one.
func (ss *sessions) end(secret string) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ended := ss.byHash[sha256.Sum256([]byte(secret))]
	ss.remove(func(s *session) bool { return s == ended })
}

// endAll ends every session but one, which may be nil.
func (ss *sessions) endAll(but *session) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.remove(func(s *session) bool { return s != but })
}
