package accessory

import (
	"net/http"

	"github.com/brutella/hap/accessory"
	"github.com/brutella/hap/characteristic"
	"github.com/brutella/hap/service"
)

// Instance ids on the companion bridge; accessory information and protocol have those of a television (graph.go).
const (
	iidTile        = 32
	bridgeModel    = "ps4kit companion"
	bridgeSerial   = "companion"
	bridgeFirmware = "1.0"
	categoryBridge = 2
)

// addBridge adds the accessory that stands for the bridge itself.
func (b *Companion) addBridge() {
	g := &graph{a: &accessory.A{Id: 1, Type: categoryBridge}}
	g.addInformation(&Config{HostID: bridgeSerial, Model: bridgeModel}, b.cfg.Name)
	g.firmware.SetValueRequest(bridgeFirmware, nil)
	g.a.AddS(newProtocol().s)
	g.onIdentify(func() { b.cfg.Log.Infof("identify: a controller asks which accessory the companion bridge is") })
	b.as = append(b.as, g.a)
}

// build makes the accessory of a tile.
func (b *Companion) build(aid uint64, console *carried, t *tile, s *Snapshot) *accessory.A {
	g := &graph{a: &accessory.A{Id: aid, Type: categoryBridge}}
	g.addInformation(&Config{HostID: s.HostID, Model: console.tv.cfg.Model, Last: s.Status}, t.name)
	g.onIdentify(console.tv.Identify)
	if t.write == nil {
		g.a.AddS(t.sensor())
		return g.a
	}
	g.a.AddS(t.control())
	host := s.HostID
	t.c.SetValueRequestFunc = func(value any, by *http.Request) (any, int) { return nil, b.write(host, t, value, by) }
	return g.a
}

func (t *tile) sensor() *service.S {
	b := newBlock(service.TypeOccupancySensor, iidTile)
	t.c = b.choice(characteristic.TypeOccupancyDetected, readEvents(), 0, 0, 1)
	b.text(characteristic.TypeName, read(), t.name)
	return b.s
}

func (t *tile) control() *service.S {
	b := newBlock(service.TypeSwitch, iidTile)
	t.c = b.add(characteristic.TypeOn, characteristic.FormatBool, all(), false)
	b.text(characteristic.TypeName, read(), t.name)
	return b.s
}
