package phone

import (
	"io/fs"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"github.com/ps4kit/ps4kit/internal/api"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Lines of /proc/net/udp, as Linux 6.1 prints them: port 987 (03DB) of 127.0.0.1 and
// of every address, and port 68.
const (
	udpHead   = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
	udp987    = "  215: 0100007F:03DB 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4242 2 0000000000000000 0\n"
	udp68     = "  320: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000   999        0 4343 2 0000000000000000 0\n"
	udpOther  = "  215: 00000000:03DB 00000000:0000 07 00000000:00000000 00:00000000 00000000 99123        0 4444 2 0000000000000000 0\n"
	udp6Wild  = "  215: 00000000000000000000000000000000:03DB 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 4545 2 0000000000000000 0\n"
	udpBroken = "garbage\n  1: zz:yy\n  2: 00000000:03DB 0 0 0 0 0\n"
)

func proc(files map[string]string) fstest.MapFS {
	all := fstest.MapFS{
		"1/comm":  {Data: []byte("init\n")},
		"17/comm": {Data: []byte("fake\x1b[31m\u202e ps4\n")},
		"self":    {Data: []byte("17"), Mode: fs.ModeSymlink},
		"uptime":  {Data: []byte("1 2\n")},
	}
	for name, target := range map[string]string{"1/fd/0": "/dev/null", "17/fd/3": "socket:[4242]", "17/fd/4": "socket:[4545]", "17/fd/5": "pipe:[4343]"} {
		all[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
	}
	for name, text := range files {
		all[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

func TestHolder(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		files map[string]string
		port  uint16
		want  string
	}{
		"found":              {map[string]string{"net/udp": udpHead + udp68 + udp987}, 987, "fake [31m ps4 (process 17)"},
		"an IPv6 socket":     {map[string]string{"net/udp": udpHead, "net/udp6": udpHead + udp6Wild}, 987, "fake [31m ps4 (process 17)"},
		"another user's":     {map[string]string{"net/udp": udpHead + udpOther}, 987, "another program"},
		"a pipe":             {map[string]string{"net/udp": udpHead + udp68}, 68, "another program"},
		"another port":       {map[string]string{"net/udp": udpHead + udp68}, 987, "another program"},
		"broken":             {map[string]string{"net/udp": udpBroken}, 987, "another program"},
		"not Linux":          {nil, 987, "another program"},
		"two, one is hidden": {map[string]string{"net/udp": udpHead + udpOther + udp987}, 987, "fake [31m ps4 (process 17)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, pid := holder(proc(tt.files), tt.port, 0)
			if got != tt.want || (pid == 17) != (tt.want != "another program") {
				t.Errorf("%q, process %d; want %q", got, pid, tt.want)
			}
		})
	}
}

// TestHolderOfThisProcess reads the real /proc.
func TestHolderOfThisProcess(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /proc/net/udp")
	}
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	name, pid := Holder(conn.LocalAddr().(*net.UDPAddr).AddrPort().Port(), 0)
	if pid != os.Getpid() || name == "" {
		t.Errorf("got %q, process %d; want this process, %d", name, pid, os.Getpid())
	}
}

// FuzzHolder checks that only a process with such a socket is named.
func FuzzHolder(f *testing.F) {
	for _, table := range []string{udpHead + udp987, udpOther, udp6Wild, udpBroken, udp68} {
		f.Add(table, uint16(987))
	}
	f.Fuzz(func(t *testing.T, table string, port uint16) {
		_, pid := holder(proc(map[string]string{"net/udp": table}), port, 0)
		if pid != 0 && (pid != 17 || !strings.Contains(table, "4242") && !strings.Contains(table, "4545")) {
			t.Errorf("process %d has it open", pid)
		}
	})
}

func TestPortErrors(t *testing.T) {
	t.Parallel()
	bind := func(errno syscall.Errno) error {
		return &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", errno)}
	}
	for _, tt := range []struct {
		err                 error
		code, message, hint string
	}{
		{bind(syscall.EACCES), "port_rights", "UDP port 987", "sudo setcap cap_net_bind_service=+ep " + executable()},
		{bind(syscall.EADDRINUSE), "port_taken", "UDP port 987 is in use by ", "Stop that program"},
		{bind(syscall.ENODEV), "failed", "no such device", ""},
	} {
		e := api.AsError(portError(tt.err, 987))
		if e.Code != tt.code || !strings.Contains(e.Message, tt.message) || !strings.Contains(e.Hint, tt.hint) {
			t.Errorf("%v: %+v", tt.err, e)
		}
	}
}
