package state

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// HomeKitHosts lists the host ids that have a HomeKit document, in order. The companion bridge is not one of them.
func (s *Store) HomeKitHosts() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, homekitDir))
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	var hosts []string
	for _, e := range entries {
		name, found := strings.CutSuffix(e.Name(), ".json")
		if id, err := hostID(name); found && err == nil && id == name && e.Type() == fs.FileMode(0) {
			hosts = append(hosts, id)
		}
	}
	return hosts, nil
}
