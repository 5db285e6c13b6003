//go:build linux

package network_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/test/e2e/peer"
)

// A change on the console reaches a HomeKit controller (npm's hap-controller)
// within 1.5 s when the console is on, and 2.5 s when it rests.
func TestTimeFromChangeToEvent(t *testing.T) {
	peer.NodeModules(t, "../hapcontroller")
	if !isolate(t) {
		return
	}
	l := newLAN(t)
	den := l.console(l.machine(denAddr), nil)
	s := l.serve([]string{known("Den", denAddr, denID)})
	s.waitFor(denID, "awake", denAddr)
	events := subscribeActive(t, s.List()[0])

	const rounds = 12
	took := map[string][]time.Duration{}
	for i := range rounds {
		for _, change := range []struct {
			from, to string
			active   float64
		}{{"awake", "standby", 0}, {"standby", "awake", 1}} {
			time.Sleep(time.Second + time.Duration(i)*2*time.Second/rounds) // at another phase of the polls each time
			at := den.set(peer.Args{"state": change.to})
			select {
			case e := <-events:
				if e.active != change.active {
					t.Fatalf("Active is %v after a change to %s", e.active, change.to)
				}
				took[change.from] = append(took[change.from], e.at.Sub(at))
			case <-time.After(10 * time.Second):
				t.Fatalf("no event within 10 s of a change to %s", change.to)
			}
		}
	}
	for from, most := range map[string]time.Duration{"awake": 1500 * time.Millisecond, "standby": 2500 * time.Millisecond} {
		list := took[from]
		p95 := percentile(list, 0.95)
		t.Logf("from %s, %d changes: median %v, p95 %v", from, len(list), percentile(list, 0.5).Round(time.Millisecond), p95.Round(time.Millisecond))
		if p95 > most {
			t.Errorf("from %s: p95 %v, want at most %v: %v", from, p95, most, list)
		}
	}
}

// activeEvent is a HAP event of the Television's Active.
type activeEvent struct {
	at     time.Time
	active float64
}

// subscribeActive pairs hap-controller with a television and returns its events.
func subscribeActive(t *testing.T, tv peer.Television) <-chan activeEvent {
	t.Helper()
	events := make(chan activeEvent, 64)
	d := peer.StartDriver(t, "../hapcontroller", []string{"node", "controller.js"}, func(line []byte) {
		at := time.Now()
		var said struct{ Event []struct{ Value any } }
		if err := json.Unmarshal(line, &said); err != nil {
			t.Errorf("controller.js said %q", line)
		}
		for _, e := range said.Event {
			if v, ok := e.Value.(float64); ok {
				events <- activeEvent{at, v}
			}
		}
	})
	d.Do("connect", peer.Args{"name": "phone", "device": tv.DeviceID, "address": tv.Address, "port": tv.Port}, nil)
	d.Do("pair", peer.Args{"name": "phone", "code": tv.SetupCode}, nil)
	var db struct {
		Accessories []struct {
			Services []struct {
				Type            string
				Characteristics []struct {
					IID  int
					Type string
				}
			}
		}
	}
	d.Do("accessories", peer.Args{"name": "phone"}, &db)
	for _, service := range db.Accessories[0].Services {
		for _, c := range service.Characteristics {
			if isType(service.Type, "D8") && isType(c.Type, "B0") {
				d.Do("subscribe", peer.Args{"name": "phone", "ids": []string{"1." + strconv.Itoa(c.IID)}}, nil)
				return events
			}
		}
	}
	t.Fatalf("no Active: %+v", db)
	return nil
}

// isType reports whether a type is one of Apple's, in its short or long form.
func isType(uuid, short string) bool {
	return uuid == short || strings.HasPrefix(uuid, "000000"+short+"-")
}

// Starting a title takes at most 4 datagrams besides the polls, as `ps4kit
// simulate` counts them.
func TestDatagramsOfAStart(t *testing.T) {
	if !isolate(t) {
		return
	}
	l := newLAN(t)
	lines, key := simulate(t, l.machine(denAddr), "ip="+denAddr+",name=Den,host_id="+denID+",linked=true,title=CUSA00129:Netflix,title=CUSA01780:Spotify")
	s := l.serve([]string{known("Den", denAddr, denID)}, "console_key: "+key, "session: {idle: 1s}", "discovery: {interval: 1h}")
	s.waitFor(denID, "awake", denAddr)
	time.Sleep(5 * time.Second) // the search at the start is over
	const polls = `ps4kit_polls_total\{host_id="` + denID + `"\}`
	for _, title := range []string{"CUSA00129", "CUSA01780", "CUSA00129"} {
		asked, began, sent := s.metric(polls), time.Now(), lines.datagrams()
		if out, code := s.run("start", title); code != 0 {
			t.Fatalf("start %s: code %d, %s", title, code, out)
		}
		time.Sleep(300 * time.Millisecond) // for the trace
		got, regular := lines.datagrams()[len(sent):], int(s.metric(polls)-asked)
		t.Logf("start %s: %.1f s, %d datagrams, of which %d are polls: %q", title, time.Since(began).Seconds(), len(got), regular, got)
		if extra := len(got) - regular; extra < 1 || extra > 4 { // it takes a LAUNCH at least
			t.Errorf("start %s: %d datagrams besides the polls", title, extra)
		}
		if most := int(time.Since(began).Seconds()) + 4; regular > most { // one each second, and when the command begins and ends
			t.Errorf("start %s: %d polls in %v", title, regular, time.Since(began))
		}
		time.Sleep(3 * time.Second) // the session ends
	}
}

// trace is what `ps4kit simulate` prints.
type trace struct {
	mu   sync.Mutex
	list []string
}

func (tr *trace) add(line string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.list = append(tr.list, line)
}

// datagrams returns the kinds of the datagrams.
func (tr *trace) datagrams() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var kinds []string
	for _, line := range tr.list {
		for _, kind := range []string{"SRCH", "WAKEUP", "LAUNCH"} {
			if strings.Contains(line, " "+kind) {
				kinds = append(kinds, kind)
			}
		}
	}
	return kinds
}

// simulate runs `ps4kit simulate` on a machine, and returns its trace and the
// file of its public key.
func simulate(t *testing.T, m peer.Machine, console string) (*trace, string) {
	t.Helper()
	key := filepath.Join(t.TempDir(), "console.pem")
	words := m.On(peer.Binary(t), "simulate", "--key", key, "--console", console)
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...) //nolint:gosec // our own words
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, ready, read := &trace{}, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(read)
		started := sync.OnceFunc(func() { close(ready) })
		for s := bufio.NewScanner(out); s.Scan(); {
			lines.add(s.Text())
			if strings.Contains(s.Text(), "public key in ") {
				started()
			}
		}
	}()
	t.Cleanup(func() { <-read; _ = cmd.Wait() })
	select {
	case <-ready:
	case <-time.After(20 * time.Second):
		t.Fatalf("simulate does not start: %q", lines.list)
	}
	return lines, key
}
