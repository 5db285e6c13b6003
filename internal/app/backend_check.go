package app

import (
	"context"
	"strings"

	"github.com/ps4kit/ps4kit/accessory/graphcheck"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/internal/state"
)

// offered is a HAP server with the name and host id of its console.
type offered struct {
	name, hostID string
	hap          *hapserver.Server
}

// CheckHomekit implements api.Backend.
func (s *server) CheckHomekit(ctx context.Context, host string) ([]api.Finding, error) {
	list, err := s.offered(ctx, host)
	if err != nil {
		return nil, err
	}
	findings := []api.Finding{}
	for _, o := range list {
		answer, err := o.hap.AccessoriesJSON()
		if err != nil {
			return nil, err
		}
		found, err := graphcheck.Check(answer)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			findings = append(findings, api.Finding{Accessory: o.name, HostID: o.hostID, Rule: f.Rule, Where: f.Where, What: f.What})
		}
	}
	return findings, nil
}

// offered returns the HAP server of a host, or all of them if host is empty.
func (s *server) offered(ctx context.Context, host string) ([]offered, error) {
	units := s.list()
	if host != "" && !strings.EqualFold(host, state.Companion) {
		u, err := s.find(ctx, host)
		if err != nil {
			return nil, err
		}
		units = []*unit{u}
	}
	var list []offered
	c := s.companion.Load()
	if c != nil && (host == "" || strings.EqualFold(host, state.Companion)) {
		list = append(list, offered{c.Name(), state.Companion, c.hap})
	}
	for _, u := range units {
		if u.hap != nil && !strings.EqualFold(host, state.Companion) {
			list = append(list, offered{u.tv.Snapshot().Name, u.hostID, u.hap})
		}
	}
	if len(list) == 0 && host != "" {
		return nil, &api.Error{Code: "not_offered", Message: host + " is not offered to HomeKit"}
	}
	return list, nil
}

// CheckHomekit implements api.Backend: it checks what a server would offer.
func (l *Local) CheckHomekit(ctx context.Context, host string) ([]api.Finding, error) {
	if _, err := l.Homekit(ctx); err != nil {
		return nil, err
	}
	return l.server.CheckHomekit(ctx, host)
}
