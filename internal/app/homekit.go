package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/mdp/qrterminal/v3"

	"github.com/ps4kit/ps4kit/internal/api"
	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/internal/text"
)

// Homekit implements api.Backend.
func (s *server) Homekit(context.Context) ([]api.Accessory, error) {
	list := []api.Accessory{}
	for _, u := range s.list() {
		if u.hap != nil {
			list = append(list, u.accessory())
		}
	}
	if c := s.companion.Load(); c != nil {
		list = append(list, s.companionAccessory(c))
	}
	sortAccessories(list)
	return list, nil
}

func sortAccessories(list []api.Accessory) {
	slices.SortFunc(list, func(a, b api.Accessory) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.HostID, b.HostID))
	})
}

func (u *unit) accessory() api.Accessory {
	snapshot := u.tv.Snapshot()
	info := u.hap.Info()
	return api.Accessory{
		Name:        snapshot.Name,
		HostID:      u.hostID,
		DeviceID:    info.DeviceID,
		Address:     addressToward(u.bind, snapshot.Addr),
		Port:        int(u.port),
		SetupCode:   info.SetupCode,
		SetupID:     info.SetupID,
		SetupURI:    info.SetupURI,
		Paired:      info.Paired,
		Controllers: controllers(info.Controllers),
	}
}

func controllers(paired []hapserver.Controller) []api.Controller {
	list := make([]api.Controller, 0, len(paired))
	for _, c := range paired {
		list = append(list, api.Controller{ID: text.Line(c.ID), Admin: c.Admin})
	}
	return list
}

// PrintCode prints the QR code and the setup code of an unpaired accessory on a
// terminal. Both are secret: never send them to a log.
func PrintCode(w io.Writer, a api.Accessory) {
	_, _ = fmt.Fprintf(w, "\n%s\n\n", a.Name)
	qrterminal.GenerateWithConfig(a.SetupURI, qrterminal.Config{
		Level:          qrterminal.M, // docs/homekit.md §3
		Writer:         w,
		HalfBlocks:     true,
		BlackChar:      qrterminal.BLACK_BLACK,
		WhiteChar:      qrterminal.WHITE_WHITE,
		BlackWhiteChar: qrterminal.BLACK_WHITE,
		WhiteBlackChar: qrterminal.WHITE_BLACK,
		QuietZone:      2,
	})
	_, _ = fmt.Fprintf(w, "\n  Setup code  %s\n", a.SetupCode)
}
