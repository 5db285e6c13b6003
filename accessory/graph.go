package accessory

import (
	"net/http"

	"github.com/brutella/hap/accessory"
	"github.com/brutella/hap/characteristic"
	"github.com/brutella/hap/service"
)

// Instance ids, which controllers store for the life of a pairing. The n-th
// characteristic of a service has the id of the service plus n. New
// characteristics go to the end of their service, and ids are never reused.
// Input k (1 to 90) has the same ids for any number of slots.
const (
	iidInformation = 1
	iidProtocol    = 16
	iidTelevision  = 32
	iidInputs      = 256 // input k starts at 256 + 16*(k-1)
	iidsPerInput   = 16
)

// Values that never change (docs/homekit.md §2).
const (
	manufacturer    = "Sony Interactive Entertainment"
	defaultModel    = "PlayStation 4"
	unknownFirmware = "0.0"
	protocolVersion = "1.1.0"
	lastRemoteKey   = 16
)

// Permissions of characteristics.
func read() []string       { return []string{characteristic.PermissionRead} }
func readEvents() []string { return append(read(), characteristic.PermissionEvents) }
func write() []string      { return []string{characteristic.PermissionWrite} }
func all() []string        { return append(append(read(), write()...), characteristic.PermissionEvents) }

// graph is the accessory, with the characteristics that are written or change.
type graph struct {
	a *accessory.A

	identify, infoName, firmware                          *characteristic.C
	active, activeID, tvName, remoteKey, order, powerMode *characteristic.C
	slots                                                 []slot
}

// slot holds the characteristics of one input.
type slot struct {
	configuredName, name, isConfigured, current, target *characteristic.C
}

// newGraph builds the accessory of docs/homekit.md §2, row by row. hap's
// ready-made services differ from that table, so each is built from its
// characteristics.
func newGraph(c *Config, name string) *graph {
	g := &graph{a: &accessory.A{Id: 1, Type: c.Category}}
	g.infoName = g.addInformation(c, name).text(characteristic.TypeConfiguredName, all(), name).C
	g.addProtocol()

	tv := g.add(service.TypeTelevision, iidTelevision)
	tv.s.Primary = true
	g.active = tv.choice(characteristic.TypeActive, all(), 0, 0, 1)
	g.activeID = tv.add(characteristic.TypeActiveIdentifier, characteristic.FormatUInt32, all(), homeScreen)
	g.activeID.MinVal, g.activeID.MaxVal = 0, c.Slots
	g.tvName = tv.text(characteristic.TypeConfiguredName, all(), name).C
	tv.choice(characteristic.TypeSleepDiscoveryMode, readEvents(), characteristic.SleepDiscoveryModeAlwaysDiscoverable, 0, 1)
	g.remoteKey = tv.number(characteristic.TypeRemoteKey, write(), nil, lastRemoteKey)
	g.order = tv.add(characteristic.TypeDisplayOrder, characteristic.FormatTLV8, all(), "")
	g.powerMode = tv.choice(characteristic.TypePowerModeSelection, write(), nil, 0, 1)

	for k := 1; k <= c.Slots; k++ {
		kind := characteristic.InputSourceTypeApplication
		if k == homeScreen {
			kind = characteristic.InputSourceTypeHomeScreen
		}
		b := g.add(service.TypeInputSource, uint64(iidInputs+iidsPerInput*(k-1))) //nolint:gosec // k is 1 to 90
		b.add(characteristic.TypeIdentifier, characteristic.FormatUInt32, read(), k)
		var s slot
		s.configuredName = b.text(characteristic.TypeConfiguredName, all(), "").C
		s.name = b.text(characteristic.TypeName, read(), "").C
		b.number(characteristic.TypeInputSourceType, readEvents(), kind, characteristic.InputSourceTypeApplication)
		s.isConfigured = b.choice(characteristic.TypeIsConfigured, all(), characteristic.IsConfiguredNotConfigured, 0, 1)
		s.current = b.choice(characteristic.TypeCurrentVisibilityState, readEvents(), characteristic.CurrentVisibilityStateHidden, 0, 1)
		s.target = b.choice(characteristic.TypeTargetVisibilityState, all(), characteristic.TargetVisibilityStateHidden, 0, 1)
		g.slots = append(g.slots, s)
		tv.s.AddS(b.s)
	}
	return g
}

func (g *graph) addInformation(c *Config, name string) block {
	b := g.add(service.TypeAccessoryInformation, iidInformation)
	g.identify = b.add(characteristic.TypeIdentify, characteristic.FormatBool, write(), nil)
	g.a.Info = &service.AccessoryInformation{
		S:                b.s,
		Identify:         &characteristic.Identify{Bool: &characteristic.Bool{C: g.identify}},
		Name:             &characteristic.Name{String: b.text(characteristic.TypeName, read(), name)},
		Manufacturer:     &characteristic.Manufacturer{String: b.text(characteristic.TypeManufacturer, read(), manufacturer)},
		Model:            &characteristic.Model{String: b.text(characteristic.TypeModel, read(), c.Model)},
		SerialNumber:     &characteristic.SerialNumber{String: b.text(characteristic.TypeSerialNumber, read(), c.HostID)},
		FirmwareRevision: &characteristic.FirmwareRevision{String: b.text(characteristic.TypeFirmwareRevision, read(), firmware(c.Last.SystemVersion))},
	}
	g.firmware = g.a.Info.FirmwareRevision.C
	return b
}

func (g *graph) addProtocol() {
	g.add(service.TypeProtocolInformation, iidProtocol).text(characteristic.TypeVersion, read(), protocolVersion)
}

// onIdentify makes do the handler of Identify, for controllers that have paired
// and for those that have not.
func (g *graph) onIdentify(do func()) {
	g.a.IdentifyFunc = func(*http.Request) { do() }
	g.identify.SetValueRequestFunc = func(value any, _ *http.Request) (any, int) {
		if on, _ := value.(bool); on {
			do()
		}
		return nil, statusOK
	}
}

// block is a service that numbers its characteristics in sequence.
type block struct{ s *service.S }

// add adds an empty service.
func (g *graph) add(kind string, iid uint64) block {
	s := service.New(kind)
	s.Id = iid
	g.a.AddS(s)
	return block{s}
}

// add adds a characteristic. The value of one that cannot be read is nil.
func (b block) add(kind, format string, perms []string, value any) *characteristic.C {
	c := characteristic.New()
	c.Id = b.s.Id + uint64(len(b.s.Cs)) + 1
	c.Type, c.Format, c.Permissions, c.Val = kind, format, perms, value
	b.s.AddC(c)
	return c
}

func (b block) text(kind string, perms []string, value string) *characteristic.String {
	return &characteristic.String{C: b.add(kind, characteristic.FormatString, perms, value)}
}

// number adds a uint8 characteristic from 0 to top.
func (b block) number(kind string, perms []string, value any, top int) *characteristic.C {
	c := b.add(kind, characteristic.FormatUInt8, perms, value)
	c.MinVal, c.MaxVal, c.StepVal = 0, top, 1
	return c
}

// choice adds a uint8 characteristic with a list of valid values in ascending
// order.
func (b block) choice(kind string, perms []string, value any, valid ...int) *characteristic.C {
	c := b.number(kind, perms, value, valid[len(valid)-1])
	c.ValidVals = valid
	return c
}
