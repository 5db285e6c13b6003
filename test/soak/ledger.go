package main

import (
	"context"
	"errors"
	"sync"
	"time"

	web "github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/test/hapclient"
)

// outcome is how a command ended, as the one who gave it saw it.
type outcome int

const (
	done    outcome = iota
	refused         // the server said no
	cut             // the server was killed or stopped meanwhile
	givenUp         // nobody waited any longer
	lost            // none of these: it must not happen
)

// account is the commands of one kind.
type account struct {
	Issued  int           `json:"issued"`
	Done    int           `json:"done"`
	Refused int           `json:"refused"`
	Cut     int           `json:"cut"`
	GivenUp int           `json:"given_up"`
	Lost    int           `json:"lost"`
	Slowest time.Duration `json:"slowest_ns"`
}

// ledger accounts for every command.
type ledger struct {
	mu       sync.Mutex
	accounts map[string]*account
	refusals map[string]int
}

func newLedger() *ledger {
	return &ledger{accounts: map[string]*account{}, refusals: map[string]int{}}
}

func (l *ledger) of(kind string) *account {
	if l.accounts[kind] == nil {
		l.accounts[kind] = &account{}
	}
	return l.accounts[kind]
}

func (l *ledger) issue(kind string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of(kind).Issued++
}

func (l *ledger) end(kind string, o outcome, took time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.of(kind)
	a.Slowest = max(a.Slowest, took)
	switch o {
	case done:
		a.Done++
	case refused:
		a.Refused++
		l.refusals[kind+": "+err.Error()]++
	case cut:
		a.Cut++
	case givenUp:
		a.GivenUp++
	case lost:
		a.Lost++
	}
}

// statusError is a HAP answer that refuses.
type statusError struct {
	status int
	body   string
}

func (e *statusError) Error() string { return "HAP: " + e.body }

// isRefusal says whether the server answered, and said no.
func isRefusal(err error) bool {
	var (
		said   *web.Error
		status *statusError
		pair   hapclient.PairError
	)
	return errors.As(err, &said) || errors.As(err, &status) || errors.As(err, &pair)
}

// command gives one command when it is not calm, and accounts for it. A server that is
// down gets none: the outcome is then cut, and nothing is counted.
func (s *soak) command(kind string, do func() error) (outcome, error) {
	return s.commandIn(0, kind, do)
}

// commandIn is command for a connection that was made in one life of the server, and is
// worth nothing in another.
func (s *soak) commandIn(life int64, kind string, do func() error) (outcome, error) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if now, _ := s.server.isUp(); life != 0 && now != life {
		return cut, context.Canceled
	}
	return s.issue(kind, do)
}

func (s *soak) issue(kind string, do func() error) (outcome, error) {
	life, up := s.server.isUp()
	if !up {
		return cut, context.Canceled
	}
	s.ledger.issue(kind)
	began := time.Now()
	err := do()
	o := s.judge(err, life)
	s.ledger.end(kind, o, time.Since(began), err)
	if o == lost {
		s.fail("%s: no answer, and the server was not killed: %v", kind, err)
	}
	return o, err
}

func (s *soak) judge(err error, life int64) outcome {
	switch now, _ := s.server.isUp(); {
	case err == nil:
		return done
	case isRefusal(err):
		return refused
	case errors.Is(err, errGivenUp):
		return givenUp
	case now != life:
		return cut
	}
	return lost
}
