package app

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"

	"github.com/sirupsen/logrus"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// files is the state directory in the types of the rest of the program.
type files struct {
	store *state.Store
	log   logrus.FieldLogger
}

// withPage returns the configuration with the settings made on the page. If
// those can't be used, the log says why.
func (f files) withPage(c *config.Config) *config.Config {
	values, err := f.store.Settings().Load()
	page, invalid := c.WithPage(values)
	if invalid != nil {
		err, page = invalid, c
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.log.WithError(err).Error("the settings made on the page can't be used; those of the configuration apply")
	}
	return page
}

// consoles lists the consoles that were seen before, by host id.
func (f files) consoles() []state.Console {
	all, err := f.store.Consoles().Load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.log.WithError(err).Error("the consoles that were found before are not known any more; they are searched again")
	}
	return all.Consoles
}

// change changes what is stored of a console. If nothing is, it adds the console
// or does nothing. A failure is logged, too.
func (f files) change(hostID string, add bool, change func(*state.Console)) error {
	errSame := errors.New("nothing to store")
	err := f.store.Consoles().Update(func(all state.Consoles) (state.Consoles, error) {
		i := slices.IndexFunc(all.Consoles, func(c state.Console) bool { return c.HostID == hostID })
		if i < 0 && !add {
			return all, errSame
		}
		if i < 0 {
			i = len(all.Consoles)
			all.Consoles = append(all.Consoles, state.Console{HostID: hostID})
		}
		before := all.Consoles[i]
		change(&all.Consoles[i])
		if all.Consoles[i] == before {
			return all, errSame
		}
		slices.SortFunc(all.Consoles, func(a, b state.Console) int { return cmp.Compare(a.HostID, b.HostID) })
		return all, nil
	})
	if errors.Is(err, errSame) {
		return nil
	}
	if err != nil {
		f.log.WithError(err).Warn("cannot store what is known of a console")
	}
	return err
}

// console returns what is stored of a console; without a host id if nothing is.
func (f files) console(hostID string) (stored state.Console) {
	for _, c := range f.consoles() {
		if c.HostID == hostID {
			stored = c
		}
	}
	return stored
}

// forget removes everything that is stored of a console.
func (f files) forget(hostID string) error {
	var errs []error
	if f.console(hostID).HostID != "" {
		errs = append(errs, f.store.Consoles().Update(func(all state.Consoles) (state.Consoles, error) {
			all.Consoles = slices.DeleteFunc(all.Consoles, func(c state.Console) bool { return c.HostID == hostID })
			return all, nil
		}))
	}
	if users, err := f.store.Credentials().Load(); err == nil && users.Hosts[hostID] != (state.User{}) {
		errs = append(errs, f.store.Credentials().Update(func(all state.Credentials) (state.Credentials, error) {
			delete(all.Hosts, hostID)
			return all, nil
		}))
	}
	if all, err := f.registrations().Load(); err == nil && all[hostID] != (remoteplay.Stored{}) {
		errs = append(errs, f.registrations().Update(func(all map[string]remoteplay.Stored) (map[string]remoteplay.Stored, error) {
			delete(all, hostID)
			return all, nil
		}))
	}
	errs = append(errs, f.homekit(hostID).file.Purge(), state.Inputs[accessory.Saved](f.store, hostID).Purge())
	return errors.Join(errs...)
}

// credential returns the stored PSN user of a console; none is no error: searching
// and showing the state need none.
func (f files) credential(hostID string) (ps4.Credential, ps4.Passcode, string) {
	all, err := f.store.Credentials().Load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.log.WithError(err).Error("the stored credentials cannot be used")
	}
	user, found := all.For(hostID)
	if !found {
		return ps4.Credential{}, ps4.Passcode{}, ""
	}
	credential, _ := ps4.ParseCredential(user.Credential) // state checked it
	passcode, _ := ps4.ParsePasscode(user.Passcode)
	return credential, passcode, user.AccountID
}

// registrations returns the file of the Remote Play registrations, by host id.
func (f files) registrations() *state.File[map[string]remoteplay.Stored] {
	return state.Document(f.store, "registrations", state.DocumentOptions[map[string]remoteplay.Stored]{Secret: true})
}

// registration returns the Remote Play registration of a console, or zero.
func (f files) registration(hostID string) remoteplay.Registration {
	all, err := f.registrations().Load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.log.WithError(err).Error("the stored Remote Play registrations cannot be used")
	}
	stored, found := all[hostID]
	if !found {
		return remoteplay.Registration{}
	}
	stored.HostID = hostID // earlier versions stored it as the key only
	registration, err := stored.Registration()
	if err != nil {
		f.log.WithField("host_id", hostID).WithError(err).Error("the stored Remote Play registration of this console cannot be used")
	}
	return registration
}

// setRegistration stores the Remote Play registration of a console.
func (f files) setRegistration(r remoteplay.Registration) error {
	return f.registrations().Update(func(all map[string]remoteplay.Stored) (map[string]remoteplay.Stored, error) {
		if all == nil {
			all = map[string]remoteplay.Stored{}
		}
		all[r.HostID] = r.Reveal()
		return all, nil
	})
}

// homekitDocument is homekit/<HOSTID>.json: one file, so that the identity, the
// pairings and the port can never disagree.
type homekitDocument struct {
	Port   uint16            `json:"port"` // 0: none was chosen yet
	Server *hapserver.Record `json:"server,omitempty"`
}

// homekitStore is the document of one console; it implements hapserver.Store.
type homekitStore struct{ file *state.File[homekitDocument] }

func (f files) homekit(hostID string) *homekitStore {
	return &homekitStore{state.HomeKit[homekitDocument](f.store, hostID)}
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

// setCredential stores the PSN user of a console, of all others with an empty
// host id. Without an account id, the stored one stays if the credential does.
func (f files) setCredential(hostID string, user state.User) error {
	return f.store.Credentials().Update(func(all state.Credentials) (state.Credentials, error) {
		if before, _ := all.For(hostID); user.AccountID == "" && before.Credential == user.Credential {
			user.AccountID = before.AccountID
		}
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
