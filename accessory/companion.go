package accessory

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/brutella/hap/accessory"
	"github.com/brutella/hap/characteristic"
	"github.com/brutella/hap/service"

	"github.com/ps4kit/ps4kit/ps4"
)

// CompanionConfig configures a companion bridge. A zero field means its default.
type CompanionConfig struct {
	Televisions []*Television // each console once; the order does not matter
	Titles      []string      // ids of the titles that get a switch on each console, each once
	Log         Logger        // nil discards
}

// Companion is the bridge of docs/homekit.md §1. It has sensors and switches for
// what Home cannot automate on a television.
//
//	aid 1                the bridge
//	for each console     sensor  "Den on"          occupied while the console is on
//	                     sensor  "Den playing"     occupied while a title runs
//	                     switch  "Den power"       as Active of its television
//	                     switch  "Netflix on Den"  on while the title runs or is being started
//
// Each is an accessory of its own: Home shows an accessory as one tile, and a tap
// on it turns every switch in it. Sensors show the state of the console. Switches
// show the requested state until the console confirms or refuses, as a television
// does. Turning a title's switch off shows the home screen. If the console keeps
// running the title behind it, the switch comes back on.
//
// It is safe for concurrent use.
type Companion struct {
	log   Logger
	as    []*accessory.A
	tiles []*tile

	mu  sync.Mutex // held from reading a television to publishing it, so that the latest state stays
	pub Publisher
}

const (
	companionName  = "PS4 Companion"
	bridgeModel    = "ps4kit companion"
	bridgeSerial   = "companion"
	bridgeFirmware = "1.0"
	maxBridged     = 149 // accessories behind a bridge; 150 with the bridge itself is what Home takes
	iidTile        = 32  // accessory information and protocol have the ids of graph.go
)

// tile is one accessory of the bridge: a sensor or a switch of a console.
type tile struct {
	key   string // part of the accessory id: it must never change
	name  string
	tv    *Television
	c     *characteristic.C
	value func(s *Snapshot) any
	write func(on bool) // nil for a sensor
}

// NewCompanion returns a bridge with the current state of its televisions. It
// fails for more than 149 sensors and switches.
func NewCompanion(c CompanionConfig) (*Companion, error) {
	b := &Companion{log: cmp.Or[Logger](c.Log, discard{}), pub: modelOnly{}}
	b.addBridge()
	names := map[string]bool{}
	byHost := func(a, b *Television) int { return strings.Compare(a.cfg.HostID, b.cfg.HostID) }
	for _, tv := range slices.SortedFunc(slices.Values(c.Televisions), byHost) {
		s := tv.Snapshot()
		for _, t := range tilesOf(tv, &s, c.Titles) {
			t.name = uniqueName(cmp.Or(cleanName(t.name), tv.cfg.HostID), maxGivenName, names)
			b.addTile(t, &s)
		}
	}
	if n := len(b.tiles); n > maxBridged {
		return nil, fmt.Errorf("%d sensors and switches: a bridge takes %d; choose fewer titles", n, maxBridged)
	}
	return b, nil
}

// addBridge adds the accessory that stands for the bridge itself.
func (b *Companion) addBridge() {
	g := &graph{a: &accessory.A{Id: 1, Type: accessory.TypeBridge}}
	g.addInformation(&Config{HostID: bridgeSerial, Model: bridgeModel}, companionName)
	g.firmware.SetValueRequest(bridgeFirmware, nil)
	g.addProtocol()
	g.onIdentify(func() { b.log.Infof("identify: a controller asks which accessory the companion bridge is") })
	b.as = append(b.as, g.a)
}

func tilesOf(tv *Television, s *Snapshot, titles []string) []*tile {
	tiles := []*tile{
		{key: "on/", name: s.Name + " on", value: func(s *Snapshot) any { return oneIf(s.State == ps4.StateAwake) }},
		{key: "playing/", name: s.Name + " playing", value: func(s *Snapshot) any { return oneIf(s.TitleID != "") }},
		{
			key: "power/", name: s.Name + " power", value: func(s *Snapshot) any { return s.Active },
			write: func(on bool) { tv.wish(setPower{powerFor(on)}) },
		},
	}
	for _, title := range titles {
		if !tv.Can().Titles {
			break
		}
		tiles = append(tiles, &tile{
			key: "title/" + title, name: s.inputName(title) + " on " + s.Name,
			value: func(s *Snapshot) any { return s.plays(title) },
			write: func(on bool) {
				switch s := tv.Snapshot(); {
				case on:
					tv.wish(selectTitle{title: title})
				case s.plays(title):
					tv.wish(selectTitle{})
				}
			},
		})
	}
	for _, t := range tiles {
		t.tv = tv
	}
	return tiles
}

// addTile adds the accessory of a tile. Its id is 2 to 2^48+1, independent of the
// other accessories, and small enough for controllers that keep numbers as
// floating point.
func (b *Companion) addTile(t *tile, s *Snapshot) {
	host := t.tv.cfg.HostID
	sum := sha256.Sum256([]byte(host + "/" + t.key))
	id := binary.BigEndian.Uint64(sum[:])>>16 + 2
	g := &graph{a: &accessory.A{Id: id, Type: accessory.TypeBridge}}
	g.addInformation(&Config{HostID: host, Model: t.tv.cfg.Model, Last: s.Status}, t.name)
	g.onIdentify(t.tv.identify)
	var kind block
	if t.write == nil {
		kind = g.add(service.TypeOccupancySensor, iidTile)
		t.c = kind.choice(characteristic.TypeOccupancyDetected, readEvents(), t.value(s), 0, 1)
	} else {
		kind = g.add(service.TypeSwitch, iidTile)
		t.c = kind.add(characteristic.TypeOn, characteristic.FormatBool, all(), t.value(s))
		t.c.SetValueRequestFunc = func(value any, by *http.Request) (any, int) {
			on, _ := value.(bool)
			b.mu.Lock()
			b.pub.Set(t.c, on, by) // at once; it stays if the television accepts it
			b.mu.Unlock()
			t.write(on)
			b.Changed(host)
			return nil, statusOK
		}
	}
	kind.text(characteristic.TypeName, read(), t.name)
	b.as, b.tiles = append(b.as, g.a), append(b.tiles, t)
}

// plays reports whether a title runs or is being started.
func (s *Snapshot) plays(title string) bool {
	switch {
	case !s.Active:
		return false
	case s.Starting != "":
		return s.Starting == title
	}
	return s.TitleID == title && s.ActiveIdentifier != homeScreen // not while it is being left
}

// Accessories returns the bridge and its accessories, which do not change.
func (b *Companion) Accessories() []*accessory.A { return slices.Clone(b.as) }

// Name returns the name of the bridge.
func (b *Companion) Name() string { return companionName }

// Attach sets the publisher of the values.
func (b *Companion) Attach(p Publisher) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pub = p
}

// Changed publishes the state of a console. Call it from Config.OnChange. It
// ignores consoles that are not on the bridge.
func (b *Companion) Changed(hostID string) {
	i := slices.IndexFunc(b.tiles, func(t *tile) bool { return strings.EqualFold(t.tv.cfg.HostID, hostID) })
	if i < 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	tv := b.tiles[i].tv
	snapshot := tv.Snapshot()
	for _, t := range b.tiles {
		if t.tv != tv {
			continue
		}
		if v := t.value(&snapshot); t.c.Value() != v {
			b.pub.Set(t.c, v, nil)
		}
	}
}
