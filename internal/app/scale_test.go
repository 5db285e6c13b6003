package app_test

import (
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// TestHouseful: 64 consoles in one process, each with its own server, within the memory that docs/ARCHITECTURE.md allows. Not
// parallel, so that memory is this test's own.
func TestHouseful(t *testing.T) {
	const consoles, perConsole = 64, 1 << 20
	before := heap()
	r := serve(t, shortDir(t), loopback+withCompanion, consoles)
	if len(r.list) != consoles {
		t.Fatalf("%d accessories instead of %d", len(r.list), consoles)
	}
	if !strings.Contains(r.log.String(), "a bridge takes 149") { // 256 sensors and switches: it is left out, the televisions go on
		t.Error("the log does not tell why there is no companion bridge")
	}
	ports := map[int]bool{}
	for _, a := range r.list {
		if ports[a.Port] || a.Port < 20000 || a.Port > 32767 {
			t.Errorf("%s has port %d", a.Name, a.Port)
		}
		ports[a.Port] = true
	}
	if code, body := get(t, r, "/readyz"); code != http.StatusOK {
		t.Errorf("/readyz: %d %s", code, body)
	}
	if grown := heap() - before; grown > consoles*perConsole {
		t.Errorf("%d consoles, simulators included, take %d kB of heap each", consoles, grown/consoles>>10)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
