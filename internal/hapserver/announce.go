package hapserver

import (
	"context"
	"strconv"
)

// Announcement is what multicast DNS tells about one server.
type Announcement struct {
	Name         string // service instance name; cut at 63 bytes, and "Name (2)" when another server has it
	DeviceID     string // A3:FB:3D:4D:2E:AC
	Model        string
	Port         int
	Category     uint8
	ConfigNumber uint16
	Paired       bool
	SetupID      string // 7OSX
}

// Announcer makes servers known on the network.
type Announcer interface {
	// Announce begins to announce a server and returns at once; ctx bounds the start only. A network that is not there yet
	// is no error: the server is announced when it comes.
	Announce(ctx context.Context, a Announcement) (Announced, error)
}

// Announced is a server that an Announcer makes known.
type Announced interface {
	// Update changes what the TXT record tells about the server (all but Name and Port, which stay). It returns at once.
	Update(a Announcement)
	// Known tells whether the server is announced on a network at this moment.
	Known() bool
	// Close says goodbye on the network and returns when that is sent. It may be called more than once.
	Close() error
}

// text returns the TXT record of _hap._tcp.
func (a Announcement) text() map[string]string {
	status := "1" // not paired: an unpaired accessory asks controllers to look
	if a.Paired {
		status = "0"
	}
	return map[string]string{
		"c#": strconv.Itoa(int(max(a.ConfigNumber, 1))),
		"ci": strconv.Itoa(int(a.Category)),
		"ff": "0", // no MFi authentication
		"id": a.DeviceID,
		"md": a.Model,
		"pv": "1.1",
		"s#": "1", // fixed for IP accessories
		"sf": status,
		"sh": SetupHash(a.SetupID, a.DeviceID),
	}
}
