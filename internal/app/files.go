package app

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
)

// files is the state directory in the types of the rest of the program.
type files struct {
	store *state.Store
	log   logrus.FieldLogger
}

// consoles lists the consoles that were seen before, longest known first.
func (f files) consoles() []state.Console {
	all, err := f.store.Consoles().Load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.log.WithError(err).Error("the consoles that were found before are not known any more; they are searched again")
	}
	return all.Consoles
}

// remember keeps what a console said of itself, for the next start. It writes only
// what is new.
func (f files) remember(st ps4.Status) {
	seen := state.Console{
		HostID: st.HostID, HostType: st.HostType, Name: st.HostName, Address: st.Addr,
		SystemVersion: st.SystemVersion, RequestPort: st.RequestPort,
	}
	known := f.consoles()
	i := slices.IndexFunc(known, func(c state.Console) bool { return c.HostID == st.HostID })
	if i >= 0 {
		seen.LastSeen, seen.Rested = known[i].LastSeen, known[i].Rested
		if known[i] == seen {
			return
		}
	}
	seen.LastSeen = time.Now()
	f.keep(seen)
}

// rested keeps that a console was just put into rest mode.
func (f files) rested(hostID string) {
	for _, c := range f.consoles() {
		if c.HostID == hostID {
			c.Rested = time.Now()
			f.keep(c)
		}
	}
}

// isResting says whether a console was put into rest mode so lately that its silence
// is that of docs/protocol.md §1.
func (f files) isResting(hostID string) bool {
	return slices.ContainsFunc(f.consoles(), func(c state.Console) bool {
		ago := time.Since(c.Rested) // negative: the clock was put back since
		return c.HostID == hostID && ago >= 0 && ago < ps4.DeafTime
	})
}

// keep writes what is known of a console.
func (f files) keep(console state.Console) {
	err := f.store.Consoles().Update(func(all state.Consoles) (state.Consoles, error) {
		all.Consoles = slices.DeleteFunc(all.Consoles, func(c state.Console) bool { return c.HostID == console.HostID })
		all.Consoles = append(all.Consoles, console)
		slices.SortFunc(all.Consoles, func(a, b state.Console) int { return cmp.Compare(a.HostID, b.HostID) })
		return all, nil
	})
	if err != nil {
		f.log.WithError(err).Warn("what is known of a console is not remembered")
	}
}

// credential returns the stored PSN user of a console; none is no error: searching
// and showing the state need none.
func (f files) credential(hostID string) (ps4.Credential, ps4.Passcode) {
	all, err := f.store.Credentials().Load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.log.WithError(err).Error("the stored credentials cannot be used")
	}
	user, found := all.For(hostID)
	if !found {
		return ps4.Credential{}, ps4.Passcode{}
	}
	credential, _ := ps4.ParseCredential(user.Credential) // state checked it
	passcode, _ := ps4.ParsePasscode(user.Passcode)
	return credential, passcode
}

// inputs is the store of a console's television.
func (f files) inputs(hostID string) (accessory.Store, error) {
	return state.Inputs[accessory.Saved](f.store, hostID)
}

// homekitDocument is homekit/<HOSTID>.json: one file, so that the identity, the
// pairings and the port can never disagree.
type homekitDocument struct {
	Port   uint16            `json:"port"` // 0: none was chosen yet
	Server *hapserver.Record `json:"server,omitempty"`
}

// homekitStore is the document of one console; it implements hapserver.Store.
type homekitStore struct{ file *state.File[homekitDocument] }

func (f files) homekit(hostID string) (*homekitStore, error) {
	file, err := state.HomeKit[homekitDocument](f.store, hostID, nil)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	return &homekitStore{file}, nil
}

// Load implements hapserver.Store.
func (h *homekitStore) Load() (hapserver.Record, error) {
	d, err := h.file.Load()
	switch {
	case err != nil:
		return hapserver.Record{}, err
	case d.Server == nil:
		return hapserver.Record{}, fs.ErrNotExist
	}
	return *d.Server, nil
}

// Save implements hapserver.Store.
func (h *homekitStore) Save(r hapserver.Record) error {
	return h.file.Update(func(d homekitDocument) (homekitDocument, error) {
		d.Server = &r
		return d, nil
	})
}

// port returns the port that the console's server had before, 0 for none.
func (h *homekitStore) port() (uint16, error) {
	d, err := h.file.Load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	return d.Port, nil
}

func (h *homekitStore) setPort(port uint16) error {
	if was, err := h.port(); err == nil && was == port {
		return nil
	}
	return h.file.Update(func(d homekitDocument) (homekitDocument, error) {
		d.Port = port
		return d, nil
	})
}

// setCredential stores the PSN user of a console, of all others with an empty host id.
func (f files) setCredential(hostID string, c ps4.Credential, p ps4.Passcode) error {
	user := state.User{Credential: c.Reveal(), Passcode: p.Reveal()}
	return f.store.Credentials().Update(func(all state.Credentials) (state.Credentials, error) {
		if hostID == "" {
			all.Default = &user
			return all, nil
		}
		if all.Hosts == nil {
			all.Hosts = map[string]state.User{}
		}
		all.Hosts[hostID] = user
		return all, nil
	})
}
