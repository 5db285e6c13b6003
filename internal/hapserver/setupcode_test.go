package hapserver

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// docs/homekit.md §3
func TestSetupURI(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		category uint8
		code, id string
		want     string
	}{
		{31, "518-08-582", "7OSX", "X-HM://00UQ9WSHY7OSX"},
		{35, "518-08-582", "7OSX", "X-HM://00YOC4WG67OSX"},
	} {
		if got := setupURI(c.category, c.code, c.id); got != c.want {
			t.Errorf("setupURI(%d): got %q, want %q", c.category, got, c.want)
		}
	}
}

// docs/homekit.md §3
func TestSetupHash(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"A3:FB:3D:4D:2E:AC", "a3:fb:3d:4d:2e:ac"} {
		if got := setupHash("7OSX", id); got != "Rnp7Mg==" {
			t.Errorf("setupHash(7OSX, %s) = %q, want Rnp7Mg==", id, got)
		}
	}
}

func TestFormatSetupCodeRefuses(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"518-08-582", "51808582", "000-00-001", "031-45-154", "12345679", "111-11-112"} {
		if _, err := FormatSetupCode(code); err != nil {
			t.Errorf("%s: %v", code, err)
		}
	}
	bad := []string{"", "518-08-58", "518-08-5822", "5180-8-582", "518 08 582", "518-08-58a", "-51808582", "+5180858", "518_08_582",
		"٥١٨٠٨٥٨٢", "123-45-678", "12345678", "876-54-321", "87654321", "5180858\n"}
	for d := range 10 {
		bad = append(bad, strings.Repeat(strconv.Itoa(d), 8))
	}
	for _, code := range bad {
		_, err := FormatSetupCode(code)
		if err == nil {
			t.Errorf("%q is accepted", code)
		} else if len(code) >= 8 && code != "12345678" && code != "87654321" && strings.Contains(err.Error(), code) {
			t.Errorf("the error repeats the code: %v", err)
		}
	}
}

func TestNewSetupCode(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^\d{3}-\d{2}-\d{3}$`)
	seen := map[string]bool{}
	var first [10]int
	const n = 2000
	for range n {
		code := newSetupCode()
		if _, err := FormatSetupCode(code); err != nil || !form.MatchString(code) {
			t.Fatalf("%q: %v", code, err)
		}
		seen[code] = true
		first[code[0]-'0']++
	}
	if len(seen) < n-5 { // 2,000 of 100,000,000: a repetition is one in fifty
		t.Errorf("only %d of %d codes differ", len(seen), n)
	}
	for d, count := range first { // 200 each, standard deviation 13
		if count < 100 || count > 300 {
			t.Errorf("%d of %d codes start with %d", count, n, d)
		}
	}
}

func TestNewIDs(t *testing.T) {
	t.Parallel()
	setup, device := regexp.MustCompile(`^[0-9A-Z]{4}$`), regexp.MustCompile(`^([0-9A-F]{2}:){5}[0-9A-F]{2}$`)
	setups, devices := map[string]bool{}, map[string]bool{}
	for range 200 {
		s, d := newSetupID(), newDeviceID()
		if !setup.MatchString(s) || !device.MatchString(d) {
			t.Fatalf("setup id %q, device id %q", s, d)
		}
		setups[s], devices[d] = true, true
	}
	if len(setups) < 190 || len(devices) != 200 {
		t.Errorf("%d setup ids and %d device ids of 200 differ", len(setups), len(devices))
	}
}
