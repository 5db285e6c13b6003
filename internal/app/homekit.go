package app

import (
	"cmp"
	"context"
	"slices"

	"github.com/ps4kit/ps4kit/internal/hapserver"
	"github.com/ps4kit/ps4kit/internal/web"
)

// Homekit implements web.Backend.
func (s *server) Homekit(context.Context) ([]web.Accessory, error) {
	list := []web.Accessory{}
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

func sortAccessories(list []web.Accessory) {
	slices.SortFunc(list, func(a, b web.Accessory) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.HostID, b.HostID))
	})
}

func (u *unit) accessory() web.Accessory {
	snapshot := u.tv.Snapshot()
	info := u.hap.Info()
	return web.Accessory{
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

func controllers(paired []hapserver.Controller) []web.Controller {
	list := make([]web.Controller, 0, len(paired))
	for _, c := range paired {
		list = append(list, web.Controller{ID: c.ID, Admin: c.Admin})
	}
	return list
}
