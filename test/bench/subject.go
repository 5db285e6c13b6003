package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	setupCode  = "518-08-582"
	pageAddr   = "127.0.0.1:8990"
	firstPort  = 21000 // of the televisions, one after another
	bridgePort = 20999 // of homebridge's own bridge
	inputs     = 40
)

// subject is a server that is measured.
type subject struct {
	name string
	// prepare writes the files for a number of consoles into an empty directory and
	// returns the command.
	prepare func(b *bench, dir string, consoles int) ([]string, error)
	// ready says when the server itself calls itself ready; nil: it does not.
	ready func(context.Context) bool
	// drives says that a console stands behind it, whose changes it follows.
	drives bool
	// presses says that a write of RemoteKey presses a key of the console.
	presses bool
}

func subjects() []subject {
	return []subject{
		{name: "ps4kit", prepare: prepareOurs, ready: pageReady, drives: true, presses: true},
		{name: "hap-nodejs", prepare: prepareHAPNode},
		{name: "homebridge-playstation", prepare: prepareHomebridge, drives: true},
	}
}

// command is what a subject is started with.
func command(words []string, dir string) *exec.Cmd {
	cmd := exec.Command(words[0], words[1:]...) //nolint:gosec,noctx // the programs that are measured; process.stop ends them
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "NODE_ENV=production"}
	return cmd
}

// title is the id of an input; the first two inputs of ps4kit are its own.
func title(k int) string { return fmt.Sprintf("CUSA%05d", k) }

func prepareOurs(b *bench, dir string, consoles int) ([]string, error) {
	var c strings.Builder
	fmt.Fprintf(&c, "console_key: %s\nweb: {listen: %q}\nhomekit: {port: %d, interfaces: [%s], slots: %d}\npoll: {interval: %v}\nconsoles:\n",
		b.key, pageAddr, firstPort, mdnsInterface, inputs, b.poll)
	for _, console := range b.consoles[:consoles] {
		fmt.Fprintf(&c, "  - {host_id: %s, address: %s, name: %q, credential: %s, setup_code: %s, titles: [",
			console.HostID(), console.Addr().Addr(), console.Name(), credential, setupCode)
		for k := 3; k <= inputs; k++ {
			fmt.Fprintf(&c, "{id: %s, name: Title %d}, ", title(k), k)
		}
		c.WriteString("]}\n")
	}
	config := filepath.Join(dir, "config.yaml")
	return []string{b.program, "--config", config, "--state-dir", filepath.Join(dir, "state"), "serve"}, os.WriteFile(config, []byte(c.String()), 0o600)
}

func pageReady(ctx context.Context) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+pageAddr+"/readyz", nil)
	if err != nil {
		return false
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

func prepareHAPNode(b *bench, dir string, consoles int) ([]string, error) {
	words := []any{"node", filepath.Join(b.npm, "television.js"), dir, consoles, firstPort, inputs, setupCode}
	return strings.Fields(fmt.Sprintln(words...)), nil
}

// prepareHomebridge lets the plug-in find the consoles by itself; it polls as often as
// ps4kit does.
func prepareHomebridge(b *bench, dir string, consoles int) ([]string, error) {
	type app struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	var apps []app
	for k := 2; k <= inputs; k++ { // the plug-in adds one input of its own
		apps = append(apps, app{title(k), fmt.Sprintf("Title %d", k)})
	}
	config, err := json.Marshal(map[string]any{
		"bridge":    map[string]any{"name": "Bench", "username": "02:50:53:34:10:00", "port": bridgePort, "pin": setupCode, "advertiser": "ciao"},
		"ports":     map[string]int{"start": firstPort, "end": firstPort + consoles - 1},
		"platforms": []any{map[string]any{"platform": "playstation", "name": "playstation", "pollInterval": b.poll.Milliseconds(), "apps": apps}},
	})
	if err != nil {
		return nil, err
	}
	modules := filepath.Join(b.npm, "node_modules")
	words := []string{"node", filepath.Join(modules, "homebridge", "bin", "homebridge"), "--user-storage-path", dir,
		"--plugin-path", filepath.Join(modules, "homebridge-playstation"), "--strict-plugin-resolution", "--no-qrcode"}
	return words, os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600)
}
