package accessory_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ps4kit/ps4kit/accessory"
	"github.com/ps4kit/ps4kit/ps4"
)

// Names, visibility, order and slots (docs/homekit.md §3 and §4), through the whole television.

func TestOneConsoleName(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		r.write(tvName, "Büro’s 🎮")
		r.wantEvents("8=Büro’s 🎮", "35=Büro’s 🎮 not to A")
		if got := r.store.saved().Name; got != "Büro’s 🎮" {
			t.Errorf("before the answer %q was on disk", got)
		}
		r.write(infoName, "Den")
		r.wantEvents("8=Den not to A", "35=Den")
		r.wantValue(3, "Den") // Name 23 as at the start
	})
}

func TestInputName(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		r.write(input(3, inputName), "Films")
		r.wantEvents("290=Films not to A", "291=Films")
		if got := r.store.saved().Titles["CUSA00129"].Name; got != "Films" {
			t.Errorf("before the answer %q was on disk", got)
		}
		r.write(input(4, inputName), "Films") // kept as written, shown so that it can be told apart
		r.after(time.Second)
		if got := r.value(input(4, inputName)); got != "Films 2" {
			t.Errorf("the second is called %v", got)
		}
		if got := r.store.saved().Titles["CUSA01780"].Name; got != "Films" {
			t.Errorf("saved is %q", got)
		}
	})
}

// TestNamesOfIOS checks that the writes of iOS in testdata change no name.
func TestNamesOfIOS(t *testing.T) {
	samples, err := os.ReadFile("testdata/configuredname.json")
	if err != nil {
		t.Fatal(err)
	}
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		for body := range strings.Lines(string(samples)) {
			var put struct {
				Characteristics []struct {
					IID   uint64
					Value string
				}
			}
			if err := json.Unmarshal([]byte(body), &put); err != nil || len(put.Characteristics) != 1 {
				t.Fatalf("%s: %v", body, err)
			}
			c := put.Characteristics[0]
			r.write(c.IID, c.Value)
			r.after(time.Minute)
			r.wantEvents(fmt.Sprintf("%d=Netflix", c.IID))
			r.wantValue(c.IID, "Netflix")
		}
		if got := r.store.saved().Titles["CUSA00129"].Name; got != "" {
			t.Errorf("%q was saved", got)
		}
	})
}

// TestBurstOfNames checks that a burst of renames in an unknown language gives
// back the name of its first input, which was changed, and changes no other.
func TestBurstOfNames(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		r.write(input(3, inputName), "Films")
		r.after(time.Minute)
		r.wantEvents("290=Films not to A", "291=Films")
		r.write(input(3, inputName), "Lähde 2")
		r.wantEvents("290=Lähde 2 not to A", "291=Lähde 2")
		r.after(100 * time.Millisecond)
		r.write(input(4, inputName), "Lähde 3")
		r.wantEvents("290=Films", "291=Films") // to the writer too
		if got := r.store.saved().Titles["CUSA00129"].Name; got != "Films" {
			t.Errorf("before the answer %q was on disk", got)
		}
		r.write(input(17, inputName), "Lähde 16") // a free slot
		r.after(100 * time.Millisecond)
		r.wantEvents("306=Spotify", "514=Input 17")
		r.write(input(1, inputName), "Lähde 1")
		r.after(time.Minute)
		r.wantEvents("258=Home Screen")
		r.wantLog("Lähde 2")
		r.write(input(4, inputName), "Lähde 9") // long after the burst, by a user
		r.wantEvents("306=Lähde 9 not to A", "307=Lähde 9")
	})
}

func TestVisibility(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		before := r.value(order)
		r.write(input(3, target), 1)
		r.wantEvents("294=1", "295=1 not to A") // 135 is a consequence: the writer gets it
		if !r.store.saved().Titles["CUSA00129"].Hidden {
			t.Error("not on disk before the answer")
		}
		r.wantValue(order, before) // hidden ones stay in the order
		r.write(input(3, target), 1)
		r.wantEvents()
	})
}

func TestDisplayOrderWritten(t *testing.T) {
	inRig(t, ps4.StateStandby, netflix(), func(r *rig) {
		const whole = "AQQEAAAAAAABBAMAAAAAAAEEAQAAAAAAAQQCAAAA" // 4 3 1 2
		r.write(order, whole)
		r.wantEvents("38=" + whole + " not to A")
		r.write(order, "AQQDAAAA") // 3 alone: the others follow
		r.after(time.Second)
		r.wantEvents("38=AQQDAAAAAAABBAEAAAAAAAEEBAAAAAAAAQQCAAAA not to A", "38=AQQDAAAAAAABBAEAAAAAAAEEBAAAAAAAAQQCAAAA")
		for name, bad := range map[string]string{
			"a free slot": "AQQRAAAA", "no such input": "AQQAAQAA", "twice": "AQQDAAAAAAABBAMAAAA=", "not TLV": "AAAA",
		} {
			if status := r.writeStatus(order, bad); status != -70410 {
				t.Errorf("%s: status %d", name, status)
			}
		}
		r.wantValue(order, "AQQDAAAAAAABBAEAAAAAAAEEBAAAAAAAAQQCAAAA")
	})
}

func TestLearnedTitle(t *testing.T) {
	inRig(t, ps4.StateAwake, netflix(), func(r *rig) {
		r.console.set(func(c *fakeConsole) { c.status.TitleID, c.status.TitleName = "CUSA07402", "Marvel’s Spider-Man" })
		r.after(5 * time.Second)
		r.wantEvents("322=Marvel's Spider-Man", "323=Marvel's Spider-Man", "325=1", "326=0", "327=0",
			"38=AQQBAAAAAAABBAUAAAAAAAEEAwAAAAAAAQQEAAAAAAABBAIAAAA=", "34=5")
		r.after(time.Second)
		saved := r.store.saved().Titles["CUSA07402"]
		if saved.Slot != 5 || saved.Title != "Marvel’s Spider-Man" || saved.LastPlayed.IsZero() {
			t.Errorf("saved: %+v", saved)
		}
	})
}

// TestSlotsRunOut: the least recently played title that nobody chose gives its slot up; when there is none, "Other" shows.
func TestSlotsRunOut(t *testing.T) {
	cfg := netflix()
	cfg.Slots = 7
	inRig(t, ps4.StateAwake, cfg, func(r *rig) {
		play := func(id string) {
			r.console.set(func(c *fakeConsole) { c.status.TitleID, c.status.TitleName = id, id })
			r.after(5 * time.Second)
		}
		for i := range 3 { // slots 5, 6, 7
			play(fmt.Sprintf("CUSA0000%d", i))
		}
		r.write(input(5, inputName), "Mine")
		play("CUSA00001")
		play("CUSA00009")
		r.wantValue(activeID, 7) // CUSA00002 was played before CUSA00001 was again
		r.wantValue(input(7, inputName), "CUSA00009")
		r.write(input(6, target), 1)
		r.write(input(7, target), 1)
		play("CUSA00008")
		r.wantValue(activeID, 2)
		r.wantValue(input(5, inputName), "Mine")
		play("CUSA00001") // hidden, keeps its own
		r.wantValue(activeID, 6)
	})
}

// TestSelectedTitleKeepsItsSlot: the title that is to be started does not lose its slot to the one that still runs.
func TestSelectedTitleKeepsItsSlot(t *testing.T) {
	console := newFakeConsole(ps4.StateAwake)
	console.starting = 8 * time.Second
	inRigWith(t, console, accessory.Config{Slots: 3}, func(r *rig) {
		r.console.set(func(c *fakeConsole) { c.status.TitleID, c.status.TitleName = "CUSA00001", "Mine" })
		r.after(5 * time.Second)
		r.write(activeID, 3)
		r.console.set(func(c *fakeConsole) { c.status.TitleID, c.status.TitleName = "CUSA00002", "Another" })
		r.after(5 * time.Second)
		r.wantValue(activeID, 3)
		r.wantValue(input(3, inputName), "Mine")
		r.after(5 * time.Second)
		r.wantConsole("open", "start CUSA00001")
	})
}
