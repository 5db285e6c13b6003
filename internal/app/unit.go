package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/config"
	"github.com/ps4kit/ps4kit/internal/state"
	"github.com/ps4kit/ps4kit/ps4"
	"github.com/ps4kit/ps4kit/ps4/remoteplay"
)

// unit is one console: the library that reaches it, the television that drives
// it, and the HAP server that offers it to HomeKit.
type unit struct {
	known
	console  *ps4.Console
	remote   *remoteplay.Console // nil: it is driven with the 2nd Screen protocol
	counters ps4.Counters
	tv       *accessory.Television
	hap      *hapServer // nil: not offered to HomeKit
	made     time.Time
	current  atomic.Int32 // known.standing as of now
	linked   atomic.Bool  // it accepted a PIN or a session
	rested   atomic.Bool  // a command put it into rest mode
	woken    atomic.Bool  // a command turned it on from there
	running  atomic.Bool  // the television runs
	retype   sync.Once    // it turned out to be a PS5

	life context.Context // of the goroutines in runs
	stop context.CancelFunc
	runs sync.WaitGroup
}

// newUnit returns the unit of a console, without a HAP server. It does no
// network I/O.
func (r *registry) newUnit(k known) (*unit, error) {
	u := &unit{known: k, made: time.Now()}
	u.life, u.stop = context.WithCancel(r.ctx)
	u.current.Store(int32(k.standing))
	r.openConsole(u)
	return u, r.openTelevision(u)
}

func (r *registry) openConsole(u *unit) {
	o := r.options
	o.Counters = &u.counters
	o.SwitchUser = u.config.SwitchUser
	if u.simulated != nil {
		o.ServerKey = u.simulated.PublicKey()
	}
	u.console = r.network.ConsoleWith(u.addr, ps4.Credential{}, &o)
	u.console.SetHostID(u.hostID)
	stored := r.files.console(u.hostID)
	u.console.SetRested(stored.Rested)
	u.linked.Store(stored.Linked || u.simulated != nil)
	u.rested.Store(!stored.Rested.IsZero())
	u.woken.Store(stored.Woken)
	if r.usesRemotePlay(u.known) {
		u.remote = remoteplay.New(u.console, remoteplay.Registration{}, r.remotePlayOptions(u))
	}
	if u.known.standing > stranger { // else it gets no credential, see gate
		r.authorize(u)
	}
}

// usesRemotePlay reports whether to drive a console with Remote Play. A PS5
// always is; a PS4 is if the configuration demands it, or allows it and the owner
// linked it for Remote Play.
func (r *registry) usesRemotePlay(k known) bool {
	switch {
	case k.hostType == ps4.TypePS5 || k.config.Protocol == config.ProtocolRemotePlay:
		return true
	case k.config.Protocol == config.ProtocolSecondScreen:
		return false
	}
	return !r.files.registration(k.hostID).IsZero()
}

// remotePlayOptions returns the options of Remote Play with a console, without a
// passcode.
func (r *registry) remotePlayOptions(u *unit) *remoteplay.Options {
	o := &remoteplay.Options{}
	if u.simulated != nil {
		o = u.simulated.RemotePlayOptions()
	}
	installation := sha256.Sum256([]byte(r.users.installation))
	o.DeviceID, o.Logf = [16]byte(installation[:]), r.debugf("remoteplay")
	o.Stream, o.KeyLinger = u.permitsKeys(), r.config.Session.KeysIdle
	return o
}

// authorize gives a console that the owner has accepted the secrets of its user.
func (r *registry) authorize(u *unit) {
	user := r.users.of(u.known)
	u.console.SetUser(user)
	if u.remote != nil {
		u.remote.SetRegistration(r.registration(u.known))
		u.remote.SetPasscode(user.Passcode)
	}
}

// registration returns the Remote Play registration of a console, or one without
// keys, for the hints.
func (r *registry) registration(k known) remoteplay.Registration {
	registration := r.files.registration(k.hostID)
	if registration.IsZero() && k.simulated != nil {
		registration = simulatedRegistration(k.hostID)
	}
	if registration.IsZero() {
		registration.HostType = k.hostType
	}
	return registration
}

func (r *registry) openTelevision(u *unit) error {
	titles, remote := r.live(r.latest.Load(), u.known)
	log := r.log.WithField("console", u.name)
	cfg := accessory.Config{
		HostID:    u.hostID,
		Name:      u.name,
		Last:      ps4.Status{HostType: u.hostType, HostName: u.hostName, SystemVersion: u.firmware},
		Category:  categoryNumber(u.config.Category),
		Titles:    titles,
		Remote:    remote,
		Slots:     r.config.HomeKit.Slots,
		Poll:      r.config.Poll.Interval,
		Misses:    r.config.Poll.Misses,
		Store:     keptStore{state.Inputs[accessory.Saved](r.files.store, u.hostID), u},
		TitleName: r.art.name,
		OnChange:  func() { r.changedConsole(u) },

		PreferTitleName: r.config.Art.Language != "",
	}
	if u.hostType == ps4.TypePS5 {
		cfg.Model = "PlayStation 5"
	}
	if r.homekit.serves() { // else the command prints its error itself
		cfg.Log = log
	}
	console := gate{accessory.NewConsole(u.console), u}
	if u.remote != nil {
		console.Console = accessory.NewRemotePlay(u.remote)
	}
	var err error
	u.tv, err = accessory.New(cfg, console)
	if errors.Is(err, accessory.ErrNoFreeSlot) { // the latest titles need a slot count that waits for a restart
		cfg.Titles, cfg.Remote = r.live(r.config, u.known)
		u.tv, err = accessory.New(cfg, console)
	}
	if errors.Is(err, state.ErrDamaged) { // the file is set aside, so the next attempt starts afresh
		log.WithField("host_id", u.hostID).WithError(err).Error("the inputs of this console are reset")
		u.tv, err = accessory.New(cfg, console)
	}
	if err != nil {
		return fmt.Errorf("television: %w", err)
	}
	return nil
}

func (u *unit) standing() standing { return standing(u.current.Load()) }

// isAccepted reports whether the owner has accepted the console, see gate.
func (u *unit) isAccepted() bool { return u.standing() >= accepted }

// untyped reports whether the unit drives a console of unknown type as a PS4.
func (u *unit) untyped() bool { return u.hostType == "" && u.remote == nil && u.simulated == nil }

// live returns the titles and the remote control that a configuration, or the
// simulation, gives a console. They may change while the server runs.
func (r *registry) live(c *config.Config, k known) (titles []accessory.Title, remote accessory.Remote) {
	var entry config.Console
	remembered := r.files.consoles()
	for _, in := range c.Consoles {
		// The address counts, too: consoles.json may not say which console is meant.
		same := in.HostID == "" && in.Address.IsValid() && in.Address == k.config.Address
		if same || meant(in, remembered) == k.hostID {
			entry = in
			break
		}
	}
	for _, t := range entry.Titles {
		titles = append(titles, accessory.Title{ID: t.ID, Name: t.Name, Pin: t.Pin, Remote: accessory.Remote(t.Remote)})
	}
	if k.simulated != nil {
		for _, t := range simulatedTitles() {
			titles = append(titles, accessory.Title{ID: t.ID, Name: t.Name})
		}
	}
	return titles, accessory.Remote(entry.Remote)
}

// keptStore saves the inputs of a console that is accepted or in HomeKit, and
// nothing of others.
type keptStore struct {
	accessory.Store
	unit *unit
}

func (s keptStore) Save(inputs accessory.Saved) error {
	if !s.unit.isAccepted() && s.unit.hap == nil {
		return nil
	}
	return s.Store.Save(inputs)
}

// gate keeps commands, and with them the credential, from a console that the
// owner has not accepted.
type gate struct {
	accessory.Console
	unit *unit
}

func (g gate) Wake(ctx context.Context) error {
	if !g.unit.isAccepted() {
		return g.unit.errNotAccepted()
	}
	return g.Console.Wake(ctx)
}

func (g gate) Do(ctx context.Context, work func(context.Context, accessory.Session) error) error {
	if !g.unit.isAccepted() {
		return g.unit.errNotAccepted()
	}
	return g.Console.Do(ctx, work)
}

// errNotAccepted returns the error of a command for a console that was only
// found.
func (u *unit) errNotAccepted() error {
	return &api.Error{Code: "not_accepted", Message: accessory.ErrNotAccepted.Error(), Err: accessory.ErrNotAccepted,
		Hint: "Link it, or accept it: ps4kit consoles add " + FormatAddress(u.console.Addr()) + "."}
}

// run starts a part of the unit, which ends with the unit or with the tasks.
func (u *unit) run(t tasks, part func(context.Context)) {
	u.runs.Add(1)
	t.run(func(context.Context) {
		defer u.runs.Done()
		part(u.life)
	})
}

// now returns what is known of the console now.
func (u *unit) now() known {
	k := u.known
	k.addr, k.standing = u.console.Addr(), u.standing()
	return k
}

// lastStatus returns what the console last said of itself.
func (u *unit) lastStatus() ps4.Status {
	last := u.tv.Snapshot()
	return ps4.Status{
		HostID: u.hostID, HostType: cmp.Or(u.hostType, last.HostType), HostName: cmp.Or(last.HostName, u.hostName),
		Addr: u.console.Addr(), SystemVersion: cmp.Or(last.SystemVersion, u.firmware), RequestPort: last.RequestPort,
	}
}

// lastSeen returns the console as its television knows it.
func (u *unit) lastSeen() api.Console {
	snapshot := u.tv.Snapshot()
	return u.shown(snapshot.Status, snapshot.Name)
}

// shown returns the console as the API shows it.
func (u *unit) shown(st ps4.Status, name string) api.Console {
	c := apiConsole(st, name, u.remote != nil)
	c.Can = api.Can(u.tv.Can())
	c.Registered = u.remote != nil && !u.remote.Registration().IsZero()
	return c
}

// origin returns how the console is known.
func (u *unit) origin() string {
	switch u.standing() {
	case stranger:
		return api.OriginFound
	case configured:
		return api.OriginConfigured
	}
	return api.OriginAccepted
}

// is reports whether host is the host id or a name of the console.
func (u *unit) is(host string) bool {
	snapshot := u.tv.Snapshot()
	return strings.EqualFold(host, u.hostID) || strings.EqualFold(host, snapshot.Name) ||
		strings.EqualFold(host, cmp.Or(snapshot.HostName, u.hostName))
}
